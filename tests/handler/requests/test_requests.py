"""Requests of the responder: who may ask, what is shown, the ledger, self-tests."""

from __future__ import annotations

from typing import Any

import pytest

from handler.model.names import SESSION_DENY_POLICY, iam_arn
from handler.revoker.respond.dispatch import deliver
from handler.revoker.respond.respond import answer
from tests.doubles.account import NOON, a_session, a_user, call, event
from tests.doubles.iam import ACCOUNT
from tests.doubles.rounds import CENTRAL, RESPONDER_ARN, Rounds, canary_event

SESSION_DENY = iam_arn(partition="aws", account=ACCOUNT, kind="policy", name=SESSION_DENY_POLICY)


def offended(name: str = "mallory", **variables: str) -> tuple[Rounds, str]:
    """A world in which somebody was contained at noon, and two minutes went by."""
    world = Rounds()
    world.installed()
    id = world.iam.add_user(name)
    answer(call(a_user(name, id)), world.tools(**variables))
    world.bus.entries.clear()
    return world.later(120), id


# ---- who may ask


@pytest.mark.parametrize(
    "signer",
    [
        "",
        f"arn:aws:iam::{CENTRAL}:user/mallory",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/iam-org-revoker-responder/mallory",
        f"arn:aws:sts::{CENTRAL}:assumed-role/iam-org-revoker-responder-evil/mallory",
        f"arn:aws:sts::{CENTRAL}:assumed-role/iam-org-revoker-responder/",
        f"arn:aws:sts::{CENTRAL}:assumed-role/iam-org-revoker-responder/a/b",
        f"arn:aws-cn:sts::{CENTRAL}:assumed-role/iam-org-revoker-responder/carol",
    ],
)
def test_nobody_but_the_responders_role_of_the_central_account_is_answered(signer: str) -> None:
    world, id = offended()
    world.signer = signer
    for what in ("list", "show", "release", "ledger", "confirm", "self_test"):
        asked = {"principal": id, "reason": "x", "dry": False, "user": "mallory", "member": True}
        assert world.responder(what, **asked)["error"] == "not-the-responder"
    assert world.iam.holds("mallory")
    assert not any(name.startswith("add#") for name in world.item(f"principal#{id}"))


def test_a_request_without_a_proof_never_reaches_sts() -> None:
    world, id = offended()
    answered = world.responder("release", principal=id, reason="please", dry=False, proof={})
    assert answered["error"] == "not-the-responder"


def test_an_unknown_request_is_refused_with_our_version() -> None:
    assert Rounds().responder("dance")["says"] == (
        "Version 0.1.0 of the revoker does not know this request."
    )


# ---- list and show


def test_the_list_says_who_since_when_by_which_call_and_what_it_gave() -> None:
    world, id = offended()
    answered = world.responder("list")
    row = next(row for row in answered["principals"] if row["id"] == id)
    assert (answered["account"], answered["mode"]) == (ACCOUNT, "enforce")
    assert (row["kind"], row["name"]) == ("user", "mallory")
    contained = row["contained"]
    assert (contained["at"], contained["method"]) == (NOON + 10, "managed-policy")
    assert (contained["call"], contained["call_time"]) == ("CreateUser", "2026-11-22T10:00:00Z")
    assert contained["gave"] == ["a new user 'accomplice'"]


@pytest.mark.parametrize(
    "text",
    [
        "mallory",
        "MALLORY",
        f"arn:aws:iam::{ACCOUNT}:user/mallory",
        f"arn:aws:iam::{ACCOUNT}:user/team/mallory",
        "AIDAEXAMPLE000000003",
    ],
)
def test_a_principal_is_found_by_name_arn_or_id(text: str) -> None:
    world, id = offended()
    assert world.responder("show", principal=text)["principal"]["id"] == id


def test_a_renamed_principal_is_found_by_both_its_names() -> None:
    world, id = offended()
    world.iam.users["innocent"] = world.iam.users.pop("mallory")
    for name in ("mallory", "innocent"):
        assert world.responder("show", principal=name)["principal"]["id"] == id


def test_a_user_and_a_role_of_one_name_are_told_apart() -> None:
    world, id = offended("deploy")
    role = world.iam.add_role("deploy")
    answer(call(a_session("deploy", role), eventID="00000000-2"), world.tools())
    refused = world.responder("show", principal="deploy")
    assert refused["error"] == "ambiguous"
    assert refused["says"] == (f"Several were called 'deploy'; give one of the ids: {id}, {role}.")
    arn = f"arn:aws:iam::{ACCOUNT}:role/team/deploy"
    assert world.responder("show", principal=arn)["principal"]["id"] == role


@pytest.mark.parametrize("text", ["nobody", "", "standing", f"arn:aws:iam::{ACCOUNT}:root"])
def test_whoever_is_not_contained_is_said_so(text: str) -> None:
    world, _ = offended()
    answered = world.responder("show", principal=text)
    assert (answered["error"], answered["says"]) == (
        "not-contained",
        f"Nothing is contained here as {text!r}.",
    )


# ---- the ledger


def test_the_ledger_shows_entries_with_times_and_event_ids() -> None:
    world = Rounds()
    world.installed()
    bob = world.iam.add_user("bob", groups=("Administrators",))
    standing = a_user("standing", world.iam.users["standing"].id)
    added = {"groupName": "Administrators", "userName": "bob"}
    deliver(event(standing, "AddUserToGroup", requestParameters=added), world.tools())
    answered = world.responder("ledger")
    assert (answered["group"], answered["missing"]) == ("Administrators", False)
    assert answered["baseline"] == NOON - 3_600
    assert answered["differences"] == []
    assert [(e["name"], e["administrator"], e["in_group"]) for e in answered["entries"]] == [
        ("bob", True, True),
        ("standing", True, True),
    ]
    assert answered["entries"][0]["facts"] == [
        {"fact": "add", "event_id": "00000000-0000-0000-0000-000000000001", "at": NOON}
    ]
    assert answered["entries"][0]["id"] == bob


def test_a_member_of_whom_nothing_is_known_is_shown_as_unknown() -> None:
    world = Rounds()
    world.installed()
    bob = world.iam.add_user("bob", groups=("Administrators",))
    assert world.responder("ledger")["unknown"] == [{"id": bob, "name": "bob"}]


def confirm(world: Rounds, user: str, **more: Any) -> dict[str, Any]:
    return world.responder("confirm", **{"user": user, "reason": "asked her"} | more)


def test_a_confirmed_member_is_an_administrator_from_then_on_and_it_says_who_said_so() -> None:
    world = Rounds()
    world.installed()
    bob = world.iam.add_user("bob", groups=("Administrators",))
    assert confirm(world, "bob", member=True)["user"] == {"id": bob, "name": "bob"}
    later = event(a_user("bob", bob), eventTime="2026-11-22T10:01:00Z")
    assert deliver(later, world.later(60).tools())["reason"] == "administrator-user"
    [entry] = [e for e in world.responder("ledger")["entries"] if e["name"] == "bob"]
    assert entry["said"] == [f"an administrator, says {RESPONDER_ARN}: asked her"]


def test_a_denied_member_is_none_from_then_on() -> None:
    world = Rounds()
    id = world.iam.add_user("alice", groups=("Administrators",))
    world.installed()
    assert confirm(world, id, member=False)["in_group"] is True
    before = event(a_user("alice", id), eventID="00000000-b")
    assert deliver(before, world.tools())["reason"] == "administrator-user"
    after = event(a_user("alice", id), eventTime="2026-11-22T10:05:00Z", eventID="00000000-a")
    assert deliver(after, world.later(300).tools())["action"] == "contain"


@pytest.mark.parametrize("more", [{"reason": ""}, {"member": "yes"}, {"member": None}])
def test_a_confirmation_that_says_too_little_is_refused(more: dict[str, Any]) -> None:
    world = Rounds()
    world.installed()
    assert confirm(world, "standing", **{"member": True} | more)["error"] == "no-reason"


def test_a_user_who_does_not_exist_cannot_be_confirmed() -> None:
    world = Rounds()
    world.installed()
    assert confirm(world, "nobody", member=True)["says"] == (
        "There is no user 'nobody' in this account."
    )


# ---- self-tests


def test_the_responder_starts_a_self_test_and_reads_how_far_it_is() -> None:
    world = Rounds()
    world.installed()
    nonce = world.responder("self_test")["self_test"]["nonce"]
    assert world.responder("self_test", nonce=nonce)["self_test"]["arrived"] == 0
    deliver(canary_event(nonce), world.later(9).tools())
    test_run = world.responder("self_test", nonce=nonce)["self_test"]
    assert (
        test_run["arrived"] - test_run["started"],
        test_run["denied"] - test_run["started"],
    ) == (9, 9)


def test_a_self_test_that_another_has_followed_is_said_so() -> None:
    world = Rounds()
    world.installed()
    nonce = world.responder("self_test")["self_test"]["nonce"]
    world.later(1).responder("self_test")
    assert world.responder("self_test", nonce=nonce)["error"] == "no-such-self-test"
