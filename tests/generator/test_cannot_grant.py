"""What the revoker's role may do grants nothing, but where IAM cannot bind it: three named cases.

What the role may do is taken from the template; whether it may is asked of an evaluator that is not
our own. A small model of IAM then plays every sequence of what was allowed on users and roles of
every sort, and compares what they may do with what they could do before anything of ours was on
them. Three of those calls can give back what somebody had taken away. The tests say which, to whom
and how much, and that nothing else does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest

from generator.render import Rendered
from tests.generator.filling import ACCOUNT
from tests.generator.filling import member as fill_member
from tests.generator.questions import Document, decision, operations

IAM = f"arn:aws:iam::{ACCOUNT}"
DENY = f"{IAM}:policy/iam-org-revoker/iam-org-revoker-deny"
SESSION_DENY = f"{DENY}-sessions"
EVIL_DENY = f"{DENY}-evil"
ADMIN_POLICY = "arn:aws:iam::aws:policy/AdministratorAccess"
DENY_GROUP = f"{IAM}:group/iam-org-revoker/iam-org-revoker-denied"
SESSION_DENY_GROUP = f"{DENY_GROUP}-sessions"
OUR_GROUPS = {DENY_GROUP, SESSION_DENY_GROUP}
ADMINISTRATORS = f"{IAM}:group/people/Administrators"
BUILDERS = f"{IAM}:group/Builders"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:iam-org-revoker"
USER, ROLE = f"{IAM}:user/alice", f"{IAM}:role/deploy"
CANARY = f"{IAM}:role/iam-org-revoker/iam-org-revoker-canary"
FROM_FUNCTION = {"lambda:SourceFunctionArn": FUNCTION}
PROBES = ("iam:CreateUser", "iam:PassRole", "sts:AssumeRole", "s3:GetObject", "logs:GetLogEvents")
# What a bucket's policy grants to one session of a role by its ARN.
SHARED = "s3:GetObject"
TOKEN = {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"}
# How a probe is made: with a long-term key, with a session, with a session that proved its device.
WAYS = {
    "key": {},
    "session": TOKEN | {"aws:MultiFactorAuthPresent": "false"},
    "mfa": TOKEN | {"aws:MultiFactorAuthPresent": "true"},
}
CREDENTIALS = ("AccessKey", "ServiceSpecificCredential", "SSHPublicKey", "SigningCertificate")
READING = ("Get", "List", "BatchGet", "Scan", "Describe", "Lookup")


def allowing(*actions: str) -> Document:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
    }


EVERYTHING = allowing("*")
# The usual deny of the IAM User Guide: nothing without a second factor.
WITHOUT_MFA: Document = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "NotAction": ["iam:EnableMFADevice", "sts:GetSessionToken"],
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        }
    ],
}
DENYING_BOUNDARY: Document = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:*", "logs:*"], "Resource": "*"},
        {"Effect": "Deny", "Action": SHARED, "Resource": "*"},
    ],
}


@dataclass(frozen=True)
class Principal:
    """A user or role as IAM keeps it; inline is "", "grant" or "deny".

    `active` names what can be signed in with, `silent` what is there and inactive. `shared`: a
    bucket's policy grants SHARED to one of its sessions by ARN.
    """

    arn: str
    policies: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    boundary: str = ""
    inline: str = ""
    active: frozenset[str] = frozenset({"key", "password"})
    silent: frozenset[str] = frozenset()
    shared: bool = False
    open_trust: bool = False


@dataclass(frozen=True)
class World:
    """The template's policies: what the revoker may do, and what its denies say; and the groups."""

    revoker: list[Document]
    contents: dict[str, Document]
    groups: dict[str, list[Document]]

    def may(self, action: str, resource: str, context: dict[str, str]) -> bool:
        asked = FROM_FUNCTION | context
        return decision(self.revoker, f"iam:{action}", resource, context=asked) == "Allow"

    def permitted(self, one: Principal) -> set[str]:
        """Which probes this principal may make, and how."""
        carried = [self.contents[arn] for arn in one.policies]
        carried += [document for group in one.groups for document in self.groups[group]]
        carried += [EVERYTHING] if one.inline == "grant" else []
        carried += [self.contents[DENY]] if one.inline == "deny" else []
        limit = self.contents[one.boundary] if one.boundary else None
        return {
            f"{probe} {way}"
            for probe in PROBES
            for way, context in WAYS.items()
            if (said := decision(carried, probe, "*", boundary=limit, context=context)) == "Allow"
            # What a resource grants to a session itself, no silence of a policy or boundary takes:
            # an explicit deny alone does (IAM User Guide, "permissions boundaries").
            or (one.shared and probe == SHARED and way != "key" and said != "Deny")
        }


Widened = dict[str, set[Principal]]


@dataclass(frozen=True)
class Try:
    """One call of IAM on a principal: what it asks for, and what becomes of the principal."""

    action: str
    resource: str
    context: dict[str, str]
    after: Principal


def tries(one: Principal) -> Iterator[Try]:
    """Every call that could change what a principal may do."""
    kind = "User" if one.arn == USER else "Role"
    for arn in (DENY, SESSION_DENY, EVIL_DENY, ADMIN_POLICY):
        asked = {"iam:PolicyARN": arn}
        yield Try(
            f"Attach{kind}Policy", one.arn, asked, replace(one, policies=one.policies | {arn})
        )
        yield Try(
            f"Detach{kind}Policy", one.arn, asked, replace(one, policies=one.policies - {arn})
        )
    for arn in (DENY, SESSION_DENY, ADMIN_POLICY, "owner"):
        wanted = {"iam:PermissionsBoundary": arn}
        yield Try(f"Put{kind}PermissionsBoundary", one.arn, wanted, replace(one, boundary=arn))
    there = {"iam:PermissionsBoundary": one.boundary} if one.boundary else {}
    yield Try(f"Delete{kind}PermissionsBoundary", one.arn, there, replace(one, boundary=""))
    for inline in ("grant", "deny"):
        yield Try(f"Put{kind}Policy", one.arn, there, replace(one, inline=inline))
    yield Try(f"Delete{kind}Policy", one.arn, there, replace(one, inline=""))
    if kind == "User":
        for group in (*sorted(OUR_GROUPS), ADMINISTRATORS, BUILDERS):
            yield Try("AddUserToGroup", group, {}, replace(one, groups=one.groups | {group}))
            yield Try("RemoveUserFromGroup", group, {}, replace(one, groups=one.groups - {group}))
        yield Try("CreateAccessKey", one.arn, {}, replace(one, active=one.active | {"new key"}))
        for action in (f"Update{credential}" for credential in CREDENTIALS):
            for name in one.active - {"password"}:
                yield Try(action, one.arn, {}, switched(one, name, on=False))
            for name in one.silent:
                yield Try(action, one.arn, {}, switched(one, name, on=True))
        for action in ("CreateLoginProfile", "UpdateLoginProfile"):
            yield Try(action, one.arn, {}, replace(one, active=one.active | {"new password"}))
        yield Try("DeleteLoginProfile", one.arn, {}, replace(one, active=one.active - {"password"}))
    else:
        yield Try("UpdateAssumeRolePolicy", one.arn, {}, replace(one, open_trust=True))


def switched(one: Principal, credential: str, *, on: bool) -> Principal:
    named = {credential}
    if on:
        return replace(one, active=one.active | named, silent=one.silent - named)
    return replace(one, active=one.active - named, silent=one.silent | named)


def rights(one: Principal) -> Principal:
    """What its permissions hang on alone, whatever it signs in with."""
    return replace(one, active=frozenset(), silent=frozenset())


def without_ours(one: Principal) -> Principal:
    """What counts in a comparison: each of ours but the boundary can be taken off again."""
    return replace(
        one,
        policies=one.policies - {DENY, SESSION_DENY},
        groups=one.groups - OUR_GROUPS,
        inline="" if one.inline == "deny" else one.inline,
    )


def first_principals() -> Iterator[Principal]:
    """Users and roles of every sort, before anything of ours was on them."""
    for policies in (frozenset[str](), frozenset({ADMIN_POLICY})):
        for boundary in ("", "owner", "denying"):
            for shared in (False, True):
                yield Principal(ROLE, policies=policies, boundary=boundary, shared=shared)
            for groups in (frozenset[str](), frozenset({ADMINISTRATORS}), frozenset({BUILDERS})):
                for silent in (frozenset[str](), frozenset({"old key"})):
                    yield Principal(
                        USER, policies=policies, groups=groups, boundary=boundary, silent=silent
                    )


def widened(world: World) -> Widened:
    """The calls by which some sequence gives a principal more than it had first, and which ones.

    Ours is left out on both sides: what is hidden by our deny counts when it is given, not only
    when the deny is taken off. What a sequence goes on with after such a call is not followed.
    """
    found: Widened = {}
    may = cache(lambda action, resource, asked: world.may(action, resource, dict(asked)))
    permitted = cache(world.permitted)
    for first in first_principals():
        before = permitted(rights(first))
        seen, waiting = {first}, [first]
        while waiting:
            now = waiting.pop()
            for call in tries(now):
                asked = tuple(call.context.items())
                if call.after in seen or not may(call.action, call.resource, asked):
                    continue
                more = permitted(rights(call.after)) | permitted(rights(without_ours(call.after)))
                if more - before or call.after.active - first.active or call.after.open_trust:
                    found.setdefault(call.action, set()).add(first)
                    continue
                seen.add(call.after)
                waiting.append(call.after)
    return found


def world_of(member: Rendered, **given: str) -> World:
    resources = fill_member(
        member.tree, **{"Mode": "enforce", "MissingGroup": "nobody"} | given
    ).resources()
    role = resources["RevokerRole"]["Properties"]
    return World(
        revoker=[policy["PolicyDocument"] for policy in role["Policies"]],
        contents={
            DENY: resources["DenyPolicy"]["Properties"]["PolicyDocument"],
            SESSION_DENY: resources["SessionDenyPolicy"]["Properties"]["PolicyDocument"],
            EVIL_DENY: EVERYTHING,
            ADMIN_POLICY: EVERYTHING,
            "owner": allowing("s3:*", "logs:*"),
            "denying": DENYING_BOUNDARY,
        },
        groups={
            DENY_GROUP: [resources["DenyPolicy"]["Properties"]["PolicyDocument"]],
            SESSION_DENY_GROUP: [resources["SessionDenyPolicy"]["Properties"]["PolicyDocument"]],
            ADMINISTRATORS: [EVERYTHING, WITHOUT_MFA],
            BUILDERS: [allowing("iam:*")],
        },
    )


@pytest.fixture(scope="session")
def world(member: Rendered) -> World:
    return world_of(member)


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
    found = {CREDENTIAL} if one.silent else set()
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


OUR_BOUNDARY = {"StringEquals": {"iam:PermissionsBoundary": DENY}}


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
    assert {action for action, whom in slipped.items() if whom != known.get(action)} == found


def test_the_inline_deny_is_the_one_parameter_that_adds_to_them(member: Rendered) -> None:
    found = widened(world_of(member, InlineDeny="allow")).keys()
    assert found - EXCEPTIONS.keys() == {"PutRolePolicy", "PutUserPolicy"}


# ---- everything else that IAM knows

THINGS = (
    USER,
    f"{IAM}:user/team/bob",
    ROLE,
    CANARY,
    f"{IAM}:role/iam-org-revoker/iam-org-revoker",
    *sorted(OUR_GROUPS),
    f"{DENY_GROUP}-evil",
    ADMINISTRATORS,
    BUILDERS,
    DENY,
    SESSION_DENY,
    ADMIN_POLICY,
    f"{IAM}:instance-profile/shop",
    f"{IAM}:saml-provider/idp",
    f"{IAM}:oidc-provider/example.com",
    f"{IAM}:mfa/alice",
    "*",
)
CONTEXTS: tuple[dict[str, str], ...] = (
    {},
    *({"iam:PolicyARN": arn} for arn in (DENY, SESSION_DENY, ADMIN_POLICY)),
    *({"iam:PermissionsBoundary": arn} for arn in (DENY, SESSION_DENY, ADMIN_POLICY)),
)
USERS = {USER, f"{IAM}:user/team/bob"}
ANY_ROLE = {ROLE, CANARY, f"{IAM}:role/iam-org-revoker/iam-org-revoker"}
WRITES: dict[str, set[str]] = {
    "AddUserToGroup": OUR_GROUPS,
    "AttachRolePolicy": ANY_ROLE,
    "AttachUserPolicy": USERS,
    "DeleteLoginProfile": USERS,
    "DetachRolePolicy": ANY_ROLE,
    "DetachUserPolicy": USERS,
    "PutRolePermissionsBoundary": ANY_ROLE,
    "RemoveUserFromGroup": {*OUR_GROUPS, ADMINISTRATORS},
    "TagRole": {CANARY},
    "UpdateAccessKey": USERS,
    "UpdateSSHPublicKey": USERS,
    "UpdateServiceSpecificCredential": USERS,
    "UpdateSigningCertificate": USERS,
}


def _allowed(ask: Callable[[str, str, dict[str, str]], bool], names: list[str]) -> dict[str, Any]:
    found: dict[str, set[str]] = {}
    for name in names:
        if name.startswith(READING):
            continue
        for thing in THINGS:
            if any(ask(name, thing, context) for context in CONTEXTS):
                found.setdefault(name, set()).add(thing)
    return found


def test_of_all_that_iam_can_be_asked_these_writes_alone_are_allowed(world: World) -> None:
    assert _allowed(world.may, [*operations("iam"), "PassRole"]) == WRITES


def test_taken_out_of_its_function_the_role_may_write_nothing_in_iam(world: World) -> None:
    def elsewhere(name: str, thing: str, context: dict[str, str]) -> bool:
        return any(
            decision(world.revoker, f"iam:{name}", thing, context=context | source) == "Allow"
            for source in ({}, {"lambda:SourceFunctionArn": f"{FUNCTION}-evil"})
        )

    assert _allowed(elsewhere, [*WRITES]) == {}


@pytest.mark.parametrize(
    "service",
    [
        *("sts", "organizations", "lambda", "cloudformation", "account", "sso-admin"),
        *("identitystore", "rolesanywhere", "ec2", "ssm", "kms", "secretsmanager", "s3control"),
    ],
)
def test_it_may_do_nothing_by_which_others_get_rights(world: World, service: str) -> None:
    prefix = {"sso-admin": "sso", "s3control": "s3"}.get(service, service)
    allowed = [
        name
        for name in operations(service)
        if decision(world.revoker, f"{prefix}:{name}", "*", context=FROM_FUNCTION) == "Allow"
    ]
    assert allowed == []


def test_its_inline_policies_fit_into_what_iam_allows_a_role(member: Rendered) -> None:
    """10,240 characters in all, white space not counted; with the longest names and every knob."""
    world = world_of(
        member, InlineDeny="allow", AdminGroupName="A" * 128, **{"AWS::Region": "us-gov-west-1"}
    )
    sizes = [len(json.dumps(one, separators=(",", ":"))) for one in world.revoker]
    assert sum(sizes) < 10_240
