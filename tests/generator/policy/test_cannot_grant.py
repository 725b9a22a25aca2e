"""What the revoker's role may do grants nothing, but where IAM cannot bind it: three named cases.

The tests say which calls give back what, to whom and how much, and that nothing else does.
revoker_world.py is the model of IAM that plays them; test_all_writes.py lists what may be called.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from generator.render import Rendered
from tests.generator.policy.questions import Document
from tests.generator.policy.revoker_world import (
    ADMIN_POLICY,
    ADMINISTRATORS,
    CREDENTIALS,
    DENY,
    DENY_GROUP,
    FUNCTION,
    IAM,
    PROBES,
    SESSION_DENY,
    SESSION_DENY_GROUP,
    USER,
    WAYS,
    Principal,
    Try,
    Widened,
    World,
    first_principals,
    tries,
    widened,
    world_of,
)


@pytest.fixture(scope="session")
def known(world: World) -> Widened:
    return widened(world)


# Where IAM has no condition that could bind the call, and whom alone it gives what.
CREDENTIAL = "has a credential that is inactive: it works again"
GROUP = "is in the administrators' group, which denies something: that is denied no longer"
BOUNDARY = "has a boundary that denies what a resource's policy grants to its session itself"
EXCEPTIONS = {
    **{f"Update{credential}": CREDENTIAL for credential in CREDENTIALS},
    "RemoveUserFromGroup": GROUP,
    "PutRolePermissionsBoundary": BOUNDARY,
}


def excepted(one: Principal) -> set[str]:
    """What a principal must have for an exception to concern it."""
    found = {CREDENTIAL} if one.not_reporting else set()
    # Those who could do nothing beside the group lose with it whatever it allowed.
    found |= {GROUP} if ADMINISTRATORS in one.groups and one.policies else set()
    return found | ({BOUNDARY} if one.boundary == "denying" and one.shared else set())


def test_no_sequence_of_the_revokers_permissions_gives_a_permission_but_in_three_named_cases(
    member: Rendered,
) -> None:
    """Each for exactly those principals of whom it is told, and it does happen to all of them."""
    found = widened(world_of(member))
    assert found.keys() == EXCEPTIONS.keys()
    for action, reason in EXCEPTIONS.items():
        assert found[action] == {one for one in first_principals() if reason in excepted(one)}


def test_a_deny_of_everything_as_boundary_gives_nothing_even_to_a_shared_session(
    member: Rendered,
) -> None:
    found = widened(world_of(member, DenyScope="everything"))
    assert found.keys() == EXCEPTIONS.keys() - {"PutRolePermissionsBoundary"}


def test_out_of_the_administrators_group_a_user_may_what_her_own_policies_allow_and_no_more(
    world: World,
) -> None:
    alice = Principal(USER, frozenset({ADMIN_POLICY}), groups=frozenset({ADMINISTRATORS}))
    [out] = [
        call.after
        for call in tries(alice)
        if call.action == "RemoveUserFromGroup" and may(world, call) and call.after != alice
    ]
    assert out == replace(alice, groups=frozenset())
    assert world.permitted(alice) == {f"{probe} mfa" for probe in PROBES}
    assert world.permitted(out) == {f"{probe} {way}" for probe in PROBES for way in WAYS}


def test_observing_the_revoker_may_do_none_of_it(member: Rendered) -> None:
    assert widened(world_of(member, Mode="observe")) == {}


def test_the_sequences_do_contain_and_release(world: World) -> None:
    alice = Principal(USER, policies=frozenset({ADMIN_POLICY}))
    assert "iam:CreateUser key" in world.permitted(alice)
    denied = replace(alice, policies=frozenset({ADMIN_POLICY, DENY}))
    assert world.permitted(denied) == {
        f"{probe} {way}" for probe in ("s3:GetObject", "logs:GetLogEvents") for way in WAYS
    }
    joined = [c.after for c in tries(alice) if c.action == "AddUserToGroup" and may(world, c)]
    assert [one.groups for one in joined] == [{DENY_GROUP}, {SESSION_DENY_GROUP}]
    assert world.permitted(joined[0]) == world.permitted(denied)
    released = [c.after for c in tries(denied) if c.action == "DetachUserPolicy" and may(world, c)]
    assert alice in released
    sessions = replace(alice, policies=frozenset({ADMIN_POLICY, SESSION_DENY}))
    assert "iam:CreateUser key" in world.permitted(sessions)
    assert "iam:CreateUser session" not in world.permitted(sessions)
    assert world.permitted(joined[1]) == world.permitted(sessions)


def may(world: World, call: Try) -> bool:
    return world.may(call.action, call.resource, call.context)


def _allow(*actions: str, **more: Any) -> Document:
    ours = {"ArnEquals": {"lambda:SourceFunctionArn": FUNCTION}}
    statement = {"Effect": "Allow", "Resource": "*", "Condition": ours} | more
    return {"Version": "2012-10-17", "Statement": [statement | {"Action": list(actions)}]}


OUR_BOUNDARY = {"ArnEquals": {"iam:PermissionsBoundary": DENY}}


@pytest.mark.parametrize(
    ("slip", "found"),
    [
        # Put over the owner's, then taken off: what 0.1.0 could have done.
        (
            _allow("iam:DeleteRolePermissionsBoundary", Condition=OUR_BOUNDARY),
            {"DeleteRolePermissionsBoundary"},
        ),
        (_allow("iam:AttachRolePolicy"), {"AttachRolePolicy"}),
        (
            _allow("iam:AttachUserPolicy", Condition={"ArnLike": {"iam:PolicyARN": f"{DENY}*"}}),
            # Hidden by a deny of her group, until she is taken out of it.
            {"AttachUserPolicy", "RemoveUserFromGroup"},
        ),
        (
            _allow("iam:AddUserToGroup", Resource=f"{IAM}:group/*"),
            {"AddUserToGroup", "RemoveUserFromGroup"},
        ),
        (_allow("iam:PutUserPolicy"), {"PutUserPolicy", "RemoveUserFromGroup"}),
        (_allow("iam:DeleteUserPermissionsBoundary"), {"DeleteUserPermissionsBoundary"}),
        (_allow("iam:PutRolePermissionsBoundary"), {"PutRolePermissionsBoundary"}),
        (_allow("iam:Update*"), {"UpdateAssumeRolePolicy", "UpdateLoginProfile"}),
        (_allow("iam:CreateAccessKey"), {"CreateAccessKey"}),
        (_allow("iam:CreateLoginProfile"), {"CreateLoginProfile"}),
    ],
)
def test_each_slip_of_a_permission_would_be_found(
    world: World, known: Widened, slip: Document, found: set[str]
) -> None:
    """By what it gives beyond the named cases, an action or to whom."""
    slipped = widened(replace(world, revoker=[*world.revoker, slip]))
    assert {
        action for action, target_text in slipped.items() if target_text != known.get(action)
    } == found


def test_the_inline_deny_is_the_one_parameter_that_adds_to_them(member: Rendered) -> None:
    found = widened(world_of(member, InlineDeny="allow")).keys()
    assert found - EXCEPTIONS.keys() == {"PutRolePolicy", "PutUserPolicy"}
