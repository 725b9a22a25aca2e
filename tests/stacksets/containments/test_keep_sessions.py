"""How the deny of sessions alone is kept without a stack: by a policy, or by a group of its own."""

from __future__ import annotations

import json

import pytest

from handler.model.deny_policy import session_deny_document
from handler.model.principal import DenyMethod
from stacksets.containments.keep import as_kept, end_step, free_step, keep_step
from stacksets.observed.bearers import Bearer, Way
from tests.stacksets.containments.test_keep import ACCOUNT, DENY, KEPT, calls, holding, user

GROUP = "iam-org-revoker-kept-sessions"
KEPT_SESSIONS = f"{KEPT}-sessions"
HERS = {"UserName": "mallory"}
OURS = {"GroupName": "iam-org-revoker-denied-sessions", **HERS}


def full(*methods: DenyMethod, groups: int = 2, **facts: object) -> Bearer:
    """A user at the quota of policies."""
    return user(*methods, policies=10, groups=groups, **facts)


def test_at_the_quota_of_policies_her_sessions_are_kept_denied_by_a_group() -> None:
    held = holding(full(DenyMethod.SESSION_GROUP))
    document = json.dumps(session_deny_document(), separators=(",", ":"))
    made = {"PolicyName": GROUP, "Path": "/iam-org-revoker-kept/", "PolicyDocument": document}
    assert list(held.unkeepable()) == []
    assert calls(keep_step(held)) == [
        ("CreatePolicy", made),
        ("CreateGroup", {"GroupName": GROUP, "Path": "/iam-org-revoker-kept/"}),
        ("AttachGroupPolicy", {"GroupName": GROUP, "PolicyArn": KEPT_SESSIONS}),
        ("AddUserToGroup", {"GroupName": GROUP, **HERS}),
    ]
    assert calls(free_step(held, release=False)) == [("RemoveUserFromGroup", OURS)]
    assert calls(end_step(as_kept(held))) == [
        ("RemoveUserFromGroup", {"GroupName": GROUP, **HERS}),
        ("DetachGroupPolicy", {"GroupName": GROUP, "PolicyArn": KEPT_SESSIONS}),
        ("DeleteGroup", {"GroupName": GROUP}),
        ("DeletePolicy", {"PolicyArn": KEPT_SESSIONS}),
    ]


def test_where_policies_have_room_again_the_group_is_left_for_the_kept_policy() -> None:
    held = holding(user(DenyMethod.SESSION_GROUP), kept_policies=frozenset({KEPT_SESSIONS}))
    assert calls(keep_step(held)) == [("AttachUserPolicy", {**HERS, "PolicyArn": KEPT_SESSIONS})]
    assert calls(free_step(held, release=True)) == [("RemoveUserFromGroup", OURS)]


def test_both_session_deny_methods_are_taken_off() -> None:
    held = holding(full(DenyMethod.SESSION_POLICY, DenyMethod.SESSION_GROUP))
    assert calls(free_step(held, release=True)) == [
        ("DetachUserPolicy", {**HERS, "PolicyArn": f"{DENY}-sessions"}),
        ("RemoveUserFromGroup", OURS),
    ]


def test_who_is_contained_wholly_and_in_her_sessions_is_kept_in_both_groups() -> None:
    held = holding(full(DenyMethod.DENY_GROUP, DenyMethod.SESSION_GROUP))
    joined = [given["GroupName"] for name, given in calls(keep_step(held)) if "Add" in name]
    assert joined == ["iam-org-revoker-kept", GROUP]


@pytest.mark.parametrize(
    ("policies", "groups", "way"),
    [
        (8, 9, Way.POLICY),
        # The whole deny takes the last place for a policy.
        (9, 9, Way.GROUP),
        (9, 10, Way.NONE),
        (10, 8, Way.GROUP),
        # And here the last place in a group.
        (10, 9, Way.NONE),
    ],
)
def test_the_deny_of_sessions_takes_what_the_whole_one_leaves(
    policies: int, groups: int, way: Way
) -> None:
    one = user(
        DenyMethod.MANAGED_POLICY, DenyMethod.SESSION_POLICY, policies=policies, groups=groups
    )
    assert one.sessions_way is way
    assert bool(one.unkeepable) is (way is Way.NONE)


def test_what_keeps_the_whole_already_takes_no_room_once_more() -> None:
    kept = frozenset({Way.POLICY})
    one = user(DenyMethod.MANAGED_POLICY, DenyMethod.SESSION_POLICY, policies=9, kept=kept)
    assert one.sessions_way is Way.POLICY


def test_whose_sessions_have_no_room_is_told_of() -> None:
    (reported,) = holding(full(DenyMethod.SESSION_GROUP, groups=10)).unkeepable()
    assert reported == (
        f"user mallory in {ACCOUNT} cannot be kept contained: its policies and groups are at "
        "their quota. Make room there, or release it (python -m responder release)."
    )


@pytest.mark.parametrize("way", [Way.POLICY, Way.GROUP])
def test_what_is_done_already_is_not_done_again(way: Way) -> None:
    one = full(DenyMethod.SESSION_GROUP, kept_sessions=frozenset({way}))
    held = holding(one, kept_policies=frozenset({KEPT_SESSIONS}), kept_session_group=True)
    # A group that somebody else has made may carry nothing yet.
    attached = ("AttachGroupPolicy", {"GroupName": GROUP, "PolicyArn": KEPT_SESSIONS})
    assert calls(keep_step(held)) == ([attached] if way is Way.GROUP else [])


POLICY_TAKEN = f"arn:aws:iam::{ACCOUNT}:policy/team/{GROUP}"
GROUP_TAKEN = f"arn:aws:iam::{ACCOUNT}:group/IAM-Org-Revoker-Kept-Sessions"
OTHER_GROUP_TAKEN = f"arn:aws:iam::{ACCOUNT}:group/iam-org-revoker-kept"


@pytest.mark.parametrize(
    ("bearer", "reported"),
    [
        (user(DenyMethod.SESSION_POLICY), [POLICY_TAKEN]),
        (full(DenyMethod.SESSION_GROUP), [POLICY_TAKEN, GROUP_TAKEN]),
        (full(DenyMethod.DENY_GROUP), [OTHER_GROUP_TAKEN]),
        (user(kept_sessions=frozenset({Way.GROUP})), []),
    ],
)
def test_whoever_has_taken_a_name_that_is_needed_is_told_of(
    bearer: Bearer, reported: list[str]
) -> None:
    taken = (POLICY_TAKEN, GROUP_TAKEN, OTHER_GROUP_TAKEN)
    sentences = list(holding(bearer, squatters=taken).unkeepable())
    assert [one.split(" while ")[1].split(" is there")[0] for one in sentences] == reported


def test_an_empty_kept_group_is_something_that_is_left() -> None:
    assert holding(kept_session_group=True).keeps
    assert [name for name, _ in calls(end_step(holding(kept_session_group=True)))] == [
        "DetachGroupPolicy",
        "DeleteGroup",
    ]
