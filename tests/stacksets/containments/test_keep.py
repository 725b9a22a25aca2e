"""How each containment is kept without a stack, in which order, and who cannot be kept."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from handler.model.deny_policy import deny_document
from handler.model.principal import DenyMethod
from stacksets.containments.keep import as_kept, end_step, free_step, keep_step
from stacksets.containments.repair import left_kept, taking_over_steps, unendable, unmendable
from stacksets.observed.bearers import Bearer, Holding, Way
from stacksets.steps.model import Step
from tests.stacksets.planners.test_removal import under_guardrail
from tests.stacksets.scene import changed, given

ACCOUNT = "777788889991"
DENY = f"arn:aws:iam::{ACCOUNT}:policy/iam-org-revoker/iam-org-revoker-deny"
KEPT = f"arn:aws:iam::{ACCOUNT}:policy/iam-org-revoker-kept/iam-org-revoker-kept"
GROUP = "iam-org-revoker-kept"


def user(*methods: DenyMethod, **facts: object) -> Bearer:
    return replace(
        Bearer("user", "mallory", "AIDA1", frozenset(methods), policies=1), **facts
    )  # fields of the value


def role(*methods: DenyMethod, **facts: object) -> Bearer:
    return replace(
        Bearer("role", "robot", "AROA1", frozenset(methods), policies=1), **facts
    )  # fields of the value


def holding(*bearers: Bearer, **facts: object) -> Holding:
    return replace(Holding(ACCOUNT, "aws", bearers, runs=True), **facts)  # fields of the value


def calls(step: Step) -> list[tuple[str, dict[str, object]]]:
    return [(call.operation, dict(call.arguments)) for call in step.calls]


def test_a_user_gets_the_kept_policy_before_ours_is_taken_off() -> None:
    held = holding(user(DenyMethod.MANAGED_POLICY))
    document = json.dumps(deny_document(), separators=(",", ":"))
    made = {
        "PolicyName": "iam-org-revoker-kept",
        "Path": "/iam-org-revoker-kept/",
        "PolicyDocument": document,
    }
    assert calls(keep_step(held)) == [
        ("CreatePolicy", made),
        ("AttachUserPolicy", {"UserName": "mallory", "PolicyArn": KEPT}),
    ]
    assert calls(free_step(held, release=False)) == [
        ("DetachUserPolicy", {"UserName": "mallory", "PolicyArn": DENY})
    ]


def test_at_the_quota_of_policies_a_user_goes_into_a_group_that_is_kept() -> None:
    held = holding(
        user(DenyMethod.DENY_GROUP, policies=10, groups=2), kept_policies=frozenset({KEPT})
    )
    assert calls(keep_step(held)) == [
        ("CreateGroup", {"GroupName": GROUP, "Path": "/iam-org-revoker-kept/"}),
        ("AttachGroupPolicy", {"GroupName": GROUP, "PolicyArn": KEPT}),
        ("AddUserToGroup", {"GroupName": GROUP, "UserName": "mallory"}),
    ]
    assert calls(free_step(held, release=False)) == [
        (
            "RemoveUserFromGroup",
            {"GroupName": "iam-org-revoker-denied", "UserName": "mallory"},
        )
    ]


@pytest.mark.parametrize(
    "bearer",
    [
        user(DenyMethod.DENY_GROUP, policies=10, groups=2),
        # Somebody has made that group before us, with her in it and no deny on it.
        user(DenyMethod.MANAGED_POLICY, kept=frozenset({Way.GROUP})),
    ],
)
def test_a_group_that_is_there_already_gets_the_kept_deny_all_the_same(bearer: Bearer) -> None:
    held = holding(bearer, kept_policies=frozenset({KEPT}), kept_group=True)
    assert calls(keep_step(held))[0] == (
        "AttachGroupPolicy",
        {"GroupName": GROUP, "PolicyArn": KEPT},
    )


def test_a_boundary_is_replaced_in_one_call_and_only_a_release_deletes_it() -> None:
    held = holding(role(DenyMethod.BOUNDARY, bounded=True), kept_policies=frozenset({KEPT}))
    assert calls(keep_step(held)) == [
        ("PutRolePermissionsBoundary", {"RoleName": "robot", "PermissionsBoundary": KEPT})
    ]
    assert calls(free_step(held, release=False)) == []
    assert calls(free_step(held, release=True)) == [
        ("DeleteRolePermissionsBoundary", {"RoleName": "robot"})
    ]


def test_whose_sessions_are_denied_keeps_that_and_no_more() -> None:
    held = holding(user(DenyMethod.SESSION_POLICY))
    made = calls(keep_step(held))
    assert [name for name, _ in made] == ["CreatePolicy", "AttachUserPolicy"]
    assert made[0][1]["PolicyName"] == "iam-org-revoker-kept-sessions"
    assert made[1][1] == {"UserName": "mallory", "PolicyArn": f"{KEPT}-sessions"}


def test_a_kept_policy_that_somebody_rewrote_is_written_again() -> None:
    spoilt = frozenset({KEPT})
    held = holding(user(DenyMethod.MANAGED_POLICY), kept_policies=spoilt, spoilt=spoilt)
    assert calls(keep_step(held))[0] == (
        "CreatePolicyVersion",
        {
            "PolicyArn": KEPT,
            "PolicyDocument": json.dumps(deny_document(), separators=(",", ":")),
            "SetAsDefault": True,
        },
    )


def test_what_is_done_already_is_not_done_again() -> None:
    held = holding(
        user(DenyMethod.MANAGED_POLICY, kept=frozenset({Way.POLICY})),
        kept_policies=frozenset({KEPT}),
    )
    assert calls(keep_step(held)) == []


def test_the_canary_is_freed_and_never_kept() -> None:
    held = holding(role(DenyMethod.MANAGED_POLICY, name="iam-org-revoker-canary"))
    assert held.contained == ()
    assert [name for name, _ in calls(free_step(held, release=False))] == ["DetachRolePolicy"]


def test_a_user_who_bears_the_canary_s_name_is_contained_like_any_other() -> None:
    held = holding(user(DenyMethod.MANAGED_POLICY, name="iam-org-revoker-canary"))
    assert [name for name, _ in calls(keep_step(held))] == ["CreatePolicy", "AttachUserPolicy"]


@pytest.mark.parametrize(
    "bearer",
    [
        user(DenyMethod.MANAGED_POLICY, policies=10, groups=10),
        role(DenyMethod.MANAGED_POLICY, policies=10, bounded=True),
    ],
)
def test_who_has_no_room_for_another_deny_is_told_of(bearer: Bearer) -> None:
    (reported,) = holding(bearer).unkeepable()
    assert reported == (
        f"{bearer.kind} {bearer.name} in {ACCOUNT} cannot be kept contained: its policies and "
        "groups are at their quota. Make room there, or release it (python -m responder release)."
    )


POLICY_TAKEN = f"arn:aws:iam::{ACCOUNT}:policy/team/iam-org-revoker-kept"
SESSIONS_TAKEN = f"arn:aws:iam::{ACCOUNT}:policy/IAM-Org-Revoker-Kept-Sessions"
GROUP_TAKEN = f"arn:aws:iam::{ACCOUNT}:group/iam-org-revoker-kept"


@pytest.mark.parametrize(
    ("bearer", "reported"),
    [
        (user(DenyMethod.MANAGED_POLICY), [POLICY_TAKEN]),
        (user(DenyMethod.DENY_GROUP, policies=10, groups=2), [POLICY_TAKEN, GROUP_TAKEN]),
        (user(DenyMethod.SESSION_POLICY), [SESSIONS_TAKEN]),
        (role(DenyMethod.BOUNDARY, bounded=True), [POLICY_TAKEN]),
        (user(kept=frozenset({Way.POLICY})), []),
    ],
)
def test_whoever_has_taken_a_name_that_is_needed_is_told_of(
    bearer: Bearer, reported: list[str]
) -> None:
    taken = (POLICY_TAKEN, SESSIONS_TAKEN, GROUP_TAKEN)
    assert list(holding(bearer, squatters=taken).unkeepable()) == [
        (
            f"Nobody in {ACCOUNT} can be kept contained while {arn} is there: it is not ours, and "
            "IAM knows a name once in an account, whatever its path. Delete it, or release them "
            "(python -m responder release)."
        )
        for arn in reported
    ]


def test_the_end_of_the_keeping_undoes_all_that_the_keeping_made() -> None:
    held = holding(user(DenyMethod.DENY_GROUP, policies=10, groups=2))
    assert calls(end_step(as_kept(held))) == [
        ("RemoveUserFromGroup", {"GroupName": GROUP, "UserName": "mallory"}),
        ("DetachGroupPolicy", {"GroupName": GROUP, "PolicyArn": KEPT}),
        ("DeleteGroup", {"GroupName": GROUP}),
        ("DeletePolicy", {"PolicyArn": KEPT}),
    ]


@pytest.mark.parametrize("answer", ["contain", "report", "ignore"])
def test_a_role_that_rolecallers_spares_stays_under_the_kept_deny(answer: str) -> None:
    """Nobody waits for its renewal, and what holds it is not deleted."""
    knobs = f'parameters = {{ RoleCallers = "{answer}" }}'
    here = given(changed(('units = ["Small"]', f'units = ["Small"]\nmode = "enforce"\n{knobs}')))
    (ring,) = [ring for ring in here.wanted.rings if ring.name == "canary"]
    held = holding(user(DenyMethod.MANAGED_POLICY), role(DenyMethod.MANAGED_POLICY))
    steps = list(taking_over_steps(here, ring, as_kept(held)))
    (expected,) = [step.wait.name for step in steps if step.wait]
    ends = [name for name, _ in calls(steps[-1])]
    if answer == "contain":
        assert expected == f"{DENY},AIDA1,AROA1"
        assert ends == ["DetachUserPolicy", "DetachRolePolicy", "DeletePolicy"]
        assert list(left_kept(here, [held])) == []
        return
    assert expected == f"{DENY},AIDA1"
    assert ends == ["DetachUserPolicy"]
    assert list(left_kept(here, [held])) == [
        (
            f"1 role in {ACCOUNT} will be denied by what is kept alone, which no responder "
            "releases, "
            "since RoleCallers spares roles there: docs/removing.md says how to take it off."
        )
    ]
    # The next time there is nothing left to do.
    alone = holding(
        role(kept=frozenset({Way.POLICY})), kept_policies=frozenset({KEPT}), kept_group=False
    )
    assert list(taking_over_steps(here, ring, alone)) == []


@pytest.mark.parametrize(("role_of_file", "may"), [("break-glass", True), ("admin", False)])
def test_under_the_guardrail_only_the_break_glass_role_ends_a_keeping(
    role_of_file: str, may: bool
) -> None:
    patterns = "role/stacksets-exec-*,role/break-glass,role/admin"
    knob = f'parameters = {{ AdminRolePatterns = "{patterns}" }}'
    ring_text = f'units = ["Small"]\nmode = "enforce"\n{knob}'
    here = given(changed(('units = ["Small"]', ring_text)), under_guardrail())
    access = replace(here.wanted.access, role=role_of_file)
    here = replace(here, wanted=replace(here.wanted, access=access))
    (ring,) = [ring for ring in here.wanted.rings if ring.name == "canary"]
    left = holding(user(kept=frozenset({Way.POLICY})), kept_policies=frozenset({KEPT}))
    reported = (
        f"A kept deny is to go in {ACCOUNT}, and under the guardrail only the break-glass role "
        "takes one off: name it in --access-role."
    )
    assert list(unendable(here, ring, [left])) == ([] if may else [reported])
    # Where nothing is to be done, nobody is stopped.
    assert list(unendable(here, ring, [holding()])) == []
    assert list(unendable(here, replace(ring, mode="observe"), [left])) == []


def test_the_end_of_the_keeping_leaves_the_boundary_that_is_ours_by_then() -> None:
    """Only where ours was seen by another deny method too is the boundary still the kept one."""
    gone = ("DeletePolicy", {"PolicyArn": KEPT})
    held = holding(role(DenyMethod.BOUNDARY, bounded=True))
    assert calls(end_step(as_kept(held))) == [gone]
    twice = role(DenyMethod.MANAGED_POLICY, bounded=True, kept=frozenset({Way.BOUNDARY}))
    assert calls(end_step(holding(twice, kept_policies=frozenset({KEPT})))) == [
        ("DeleteRolePermissionsBoundary", {"RoleName": "robot"}),
        gone,
    ]


@pytest.mark.parametrize(
    ("mode", "patterns", "refused"),
    [
        ("enforce", "role/stacksets-exec-*", True),
        ("enforce", "role/stacksets-exec-*,role/OrganizationAccountAccessRole", False),
        ("observe", "role/stacksets-exec-*", False),
    ],
)
def test_an_operator_whom_the_revoker_would_contain_is_told_before_anything_is_done(
    mode: str, patterns: str, refused: bool
) -> None:
    knob = f'parameters = {{ AdminRolePatterns = "{patterns}" }}'
    ring = f'units = ["Small"]\nmode = "{mode}"\n{knob}'
    here = given(changed(('units = ["Small"]', ring)))
    sentence = (
        f"Somebody is contained in {ACCOUNT}, and arn:aws:iam::{ACCOUNT}:role/"
        "OrganizationAccountAccessRole is no administrator there: the revoker would contain it for "
        "taking the kept deny off. Name it in AdminRolePatterns, run apply, and then this again."
    )
    found = list(unmendable(here, [holding(user(DenyMethod.MANAGED_POLICY))]))
    assert found == [sentence] * refused
