"""Releases: exact, repeatable, found by id, and told apart from what others must undo."""

from __future__ import annotations

import pytest

from handler.model.names import DENY_GROUP, SESSION_DENY_POLICY, iam_arn
from handler.model.reasons import Action, Reason
from handler.revoker.respond.dispatch import deliver
from handler.revoker.respond.respond import answer
from tests.doubles.account import a_session, a_user, call, event
from tests.doubles.iam import ACCOUNT, DENY_ARN
from tests.doubles.rounds import RESPONDER_ARN, Rounds

SESSION_DENY = iam_arn(partition="aws", account=ACCOUNT, kind="policy", name=SESSION_DENY_POLICY)


def offended(name: str = "mallory", **variables: str) -> tuple[Rounds, str]:
    """A world in which somebody was contained at noon, and two minutes went by."""
    world = Rounds()
    world.installed()
    id = world.iam.add_user(name)
    answer(call(a_user(name, id)), world.tools(**variables))
    world.bus.entries.clear()
    return world.later(120), id


def stays_free(world: Rounds, *names: str) -> None:
    """Nothing comes back: not with the next reconciliations, and not with their re-evaluations."""
    for _ in range(3):
        world.later(900).reconcile()
        assert not any(world.iam.holds(name) for name in names)
        assert not any(SESSION_DENY in world.iam.users[name].attached for name in names)


def test_a_dry_release_plans_and_changes_nothing() -> None:
    world, id = offended()
    writes = world.dynamo.writes
    answered = world.responder("release", principal="mallory")
    assert answered["done"] is False
    assert answered["steps"] == [
        {
            "method": "managed-policy",
            "command": [
                "aws",
                "iam",
                "detach-user-policy",
                "--user-name=mallory",
                f"--policy-arn={DENY_ARN}",
            ],
            "recorded": True,
            "there": True,
            "by_administrator": False,
            "left": "",
        }
    ]
    assert world.iam.holds("mallory")
    assert world.dynamo.writes == writes
    assert "released" not in world.item(f"principal#{id}")


def test_a_release_takes_off_what_was_put_on_and_nothing_else() -> None:
    world, id = offended()
    mallory = world.iam.users["mallory"]
    mallory.attached.add("arn:aws:iam::aws:policy/ReadOnlyAccess")
    answered = world.responder("release", principal="mallory", reason="meant it", dry=False)
    assert mallory.attached == {"arn:aws:iam::aws:policy/ReadOnlyAccess"}
    assert answered["released"] == world.now
    item = world.item(f"principal#{id}")
    assert item["released"] == world.now
    assert not {"contained", "sessions", "tainted", "releasing"} & item.keys()
    [past] = world.responder("show", principal=id)["principal"]["releases"]
    assert (past["by"], past["reason"], past["at"]) == (RESPONDER_ARN, "meant it", world.now)


@pytest.mark.parametrize("method", ["deny-group", "inline-policy"])
def test_each_deny_method_of_a_user_is_undone(method: str) -> None:
    world = Rounds()
    world.installed()
    id = world.iam.add_user("mallory")
    full = {"deny-group": 1, "inline-policy": 2}[method]
    world.iam.fail = {
        method: ["LimitExceeded"] for method in ("attach_user_policy", "add_user_to_group")[:full]
    }
    answer(call(a_user("mallory", id)), world.tools(INLINE_DENY="allow"))
    assert world.iam.holds("mallory")
    answered = world.responder("release", principal=id, reason="meant it", dry=False)
    assert [step["method"] for step in answered["steps"]] == [method]
    assert not world.iam.holds("mallory")
    stays_free(world, "mallory")


def test_a_boundary_comes_back_as_the_command_of_an_administrator() -> None:
    world = Rounds()
    world.installed()
    id = world.iam.add_role("deployer")
    world.iam.fail["attach_role_policy"] = ["LimitExceeded"]
    answer(call(a_session("deployer", id)), world.tools())
    assert world.responder("release", principal=id)["steps"][0]["by_administrator"] is True
    [step] = world.responder("release", principal=id, reason="meant it", dry=False)["steps"]
    assert (step["by_administrator"], step["left"]) == (
        True,
        "only an administrator may: aws iam delete-role-permissions-boundary --role-name=deployer",
    )
    assert "contained" not in world.item(f"principal#{id}")


def test_observing_the_commands_are_an_administrators() -> None:
    world, id = offended()
    world.iam.fail["detach_user_policy"] = ["AccessDenied"]
    answered = world.responder(
        "release", mode="observe", principal=id, reason="meant it", dry=False
    )
    assert [step["left"] for step in answered["steps"]] == ["the revoker may not (AccessDenied)"]


def test_a_release_may_be_repeated() -> None:
    world, id = offended()
    first = world.responder("release", principal=id, reason="meant it", dry=False)
    again = world.later(60).responder("release", principal=id, reason="meant it", dry=False)
    assert (again["already"], again["released"]) == (True, first["released"])
    assert len(world.responder("show", principal=id)["principal"]["releases"]) == 1


def test_a_deny_without_a_record_is_released_as_well() -> None:
    world, id = offended()
    world.table.delete(f"principal#{id}")
    [step] = world.responder("release", principal="mallory", reason="meant it", dry=False)["steps"]
    assert (step["recorded"], step["there"], step["left"]) == (False, True, "")
    assert not world.iam.holds("mallory")
    stays_free(world, "mallory")


def test_a_release_that_died_half_way_is_finished_by_the_next() -> None:
    world, id = offended()
    world.iam.fail["detach_user_policy"] = ["ServiceFailure"]
    refused = world.responder("release", principal=id, reason="meant it", dry=False)
    assert refused["says"] == "AWS refused detach_user_policy: ServiceFailure."
    assert "contained" in world.item(f"principal#{id}")
    world.responder("release", principal=id, reason="meant it", dry=False)
    assert not world.iam.holds("mallory")
    stays_free(world, "mallory")


def test_the_reconciliation_leaves_a_release_under_way_alone_for_a_quarter_of_an_hour() -> None:
    world, id = offended()
    world.iam.users["mallory"].attached.clear()
    world.table.update(f"principal#{id}", {"releasing": world.now})
    world.later(600).reconcile()
    assert not world.iam.holds("mallory")
    world.later(600).reconcile()
    assert world.iam.holds("mallory")


def test_calls_made_before_the_release_do_not_contain_again() -> None:
    world, id = offended()
    world.responder("release", principal=id, reason="meant it", dry=False)
    late = event(a_user("mallory", id), eventTime="2026-11-22T10:01:00Z", eventID="00000000-l")
    assert deliver(late, world.tools())["reason"] == Reason.RELEASED.value
    assert not world.iam.holds("mallory")
    after = event(a_user("mallory", id), eventTime="2026-11-22T10:03:00Z", eventID="00000000-a")
    assert deliver(after, world.tools())["action"] == Action.CONTAIN.value
    assert world.iam.holds("mallory")


def test_after_a_release_the_reconciliation_puts_nothing_back() -> None:
    world, id = offended()
    world.responder("release", principal=id, reason="meant it", dry=False)
    assert world.later(900).reconcile().contained == 0
    assert not world.iam.holds("mallory")
    assert world.bus.reports() == []


def test_a_deny_of_ours_that_the_record_does_not_know_is_shown_and_taken_off() -> None:
    world, id = offended()
    world.iam.groups[DENY_GROUP].members.add("mallory")
    answered = world.responder("release", principal=id, reason="meant it", dry=False)
    assert [(s["method"], s["recorded"]) for s in answered["steps"]] == [
        ("managed-policy", True),
        ("deny-group", False),
    ]
    assert not world.iam.holds("mallory")
    stays_free(world, "mallory")


def test_a_deny_that_was_taken_off_by_hand_is_no_obstacle() -> None:
    world, id = offended()
    world.iam.users["mallory"].attached.clear()
    [step] = world.responder("release", principal=id, reason="meant it", dry=False)["steps"]
    assert (step["there"], step["left"]) == (False, "")


def test_a_renamed_principal_is_released_under_its_new_name() -> None:
    world, id = offended()
    world.iam.users["colleague"] = world.iam.users.pop("mallory")
    other = world.iam.add_user("mallory")
    world.iam.users["mallory"].attached.add(DENY_ARN)
    world.responder("release", principal=id, reason="meant it", dry=False)
    assert not world.iam.holds("colleague")
    stays_free(world, "colleague")
    assert world.iam.holds("mallory")
    assert other != id


def test_a_principal_deleted_since_is_said_so() -> None:
    world, id = offended()
    del world.iam.users["mallory"]
    refused = world.responder("release", principal=id, reason="meant it", dry=False)
    assert (refused["error"], refused["says"]) == (
        "deleted",
        f"user 'mallory' ({id}) was deleted since.",
    )
    assert world.item(f"principal#{id}")["gone"] == world.now


def test_a_release_without_a_reason_is_refused() -> None:
    world, id = offended()
    assert world.responder("release", principal=id, reason=" ", dry=False)["error"] == "no-reason"
    assert world.iam.holds("mallory")


@pytest.mark.parametrize(
    ("keys", "status", "kept"), [("keep", "Inactive", True), ("enable", "Active", False)]
)
def test_keys_stay_inactive_unless_told(keys: str, status: str, kept: bool) -> None:
    world = Rounds()
    world.installed()
    id = world.iam.add_user("mallory")
    world.iam.users["mallory"].keys["AKIAEXAMPLENEW"] = "Active"
    made = {"accessKey": {"userName": "mallory", "accessKeyId": "AKIAEXAMPLENEW"}}
    answer(
        call(
            a_user("mallory", id),
            "CreateAccessKey",
            requestParameters={"userName": "mallory"},
            responseElements=made,
        ),
        world.tools(),
    )
    assert world.iam.users["mallory"].keys["AKIAEXAMPLENEW"] == "Inactive"
    answered = world.responder("release", principal=id, reason="meant it", dry=False, keys=keys)
    assert answered["keys"] == [{"id": "AKIAEXAMPLENEW", "enable": not kept, "left": ""}]
    stays_free(world, "mallory")
    assert world.iam.users["mallory"].keys["AKIAEXAMPLENEW"] == status
    assert ("tainted" in world.item("credential#AKIAEXAMPLENEW")) is kept


def test_an_administrators_sessions_are_released_and_the_offenders_key_is_not() -> None:
    world = Rounds()
    id = world.iam.add_user("alice", groups=("Administrators",))
    world.installed()
    world.table.update("credential#AKIASTOLEN", {"owner": "alice", "tainted": "{}"})
    answer(call(a_user("alice", id, key="AKIASTOLEN")), world.tools())
    assert world.iam.users["alice"].attached == {SESSION_DENY}
    world.responder("release", principal="alice", reason="key was deleted", dry=False)
    assert world.iam.users["alice"].attached == set()
    stays_free(world, "alice")
    assert world.item("credential#AKIASTOLEN")["owner"] == "alice"


def test_an_offenders_created_principal_is_released_with_its_taint() -> None:
    world = Rounds()
    world.installed()
    mallory, accomplice = world.iam.add_user("mallory"), world.iam.add_user("accomplice")
    made = {"user": {"userName": "accomplice", "userId": accomplice}}
    answer(call(a_user("mallory", mallory), responseElements=made), world.tools())
    assert world.responder("release", principal="accomplice")["tainted"] is True
    world.responder("release", principal="accomplice", reason="was ordered", dry=False)
    assert not world.iam.holds("accomplice")
    stays_free(world, "accomplice")
    assert "tainted" not in world.item(f"principal#{accomplice}")
    assert world.iam.holds("mallory")
