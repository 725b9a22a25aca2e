"""The self-test: what it writes, what it measures, what counts as failed, when it is due."""

from __future__ import annotations

from typing import Any

import pytest

from handler.model.heartbeat import SelfTest
from handler.model.names import CANARY_ROLE
from handler.revoker.respond.dispatch import deliver
from tests.doubles.account import NOON, a_user
from tests.doubles.iam import DENY_ARN
from tests.doubles.rounds import Rounds, canary_event


def drilling(**variables: str) -> tuple[Rounds, str]:
    """A world whose first reconciliation has just begun a self-test; its nonce."""
    world = Rounds()
    world.reconcile(**variables)
    return world, str(world.item("self_test")["nonce"])


def arrive(world: Rounds, nonce: str, after: float, **variables: str) -> dict[str, Any]:
    return deliver(canary_event(nonce), world.later(after).tools(**variables))


def test_a_self_test_tags_the_canary_and_nothing_else() -> None:
    world, nonce = drilling()
    assert nonce == f"{NOON + 10:.3f}"
    assert world.iam.roles[CANARY_ROLE].tags == {"iam-org-revoker-self-test": nonce}
    assert [c for c in world.iam.calls if not c.startswith(("get_", "list_"))] == ["tag_role"]


def test_observing_the_arrival_alone_is_measured() -> None:
    world, nonce = drilling(MODE="observe")
    said = arrive(world, nonce, 7.5, MODE="observe")
    assert (said["action"], world.iam.roles[CANARY_ROLE].attached) == ("self_test", set())
    beat = world.later(900).reconcile(MODE="observe")
    assert beat.self_test == SelfTest(at=NOON + 10, ok=True, event_seconds=7.5)


def test_enforcing_the_deny_goes_on_the_canary_and_off_and_is_measured() -> None:
    world, nonce = drilling()
    arrive(world, nonce, 7.5)
    assert world.iam.roles[CANARY_ROLE].attached == set()
    assert [c for c in world.iam.calls if c.endswith("tach_role_policy")] == [
        "attach_role_policy",
        "detach_role_policy",
    ]
    beat = world.later(900).reconcile()
    assert beat.self_test == SelfTest(at=NOON + 10, ok=True, event_seconds=7.5, deny_seconds=7.5)


def test_an_arrival_that_died_before_the_deny_was_off_is_done_again() -> None:
    world, nonce = drilling()
    world.iam.fail["detach_role_policy"] = ["Throttling"]
    with pytest.raises(world.iam.exceptions.ClientError, match="Throttling"):
        arrive(world, nonce, 5)
    assert world.iam.roles[CANARY_ROLE].attached == {DENY_ARN}
    arrive(world, nonce, 60)
    assert world.iam.roles[CANARY_ROLE].attached == set()
    test = world.later(900).reconcile().self_test
    assert (test.ok, test.event_seconds, test.deny_seconds) == (True, 5.0, 65.0)


def test_a_deny_that_does_not_hold_on_the_canary_fails_the_test() -> None:
    world, nonce = drilling()
    world.iam.documents[DENY_ARN] = {"Statement": []}
    arrive(world, nonce, 5)
    test = world.later(900).reconcile().self_test
    assert not test.ok
    assert test.error.startswith(
        "no deny held on the canary: Could not attach the deny policy: somebody"
    )


def test_while_a_self_test_is_under_way_the_heartbeat_tells_of_the_one_before() -> None:
    world, nonce = drilling()
    assert world.heartbeats()[0].self_test == SelfTest()
    arrive(world, nonce, 5)
    first = world.later(600).reconcile().self_test
    assert world.later(86_400).reconcile().self_test == first
    assert world.item("self_test")["nonce"] != nonce


def test_an_event_that_does_not_arrive_fails_the_test_after_a_quarter_of_an_hour() -> None:
    world, _ = drilling()
    assert world.later(890).reconcile().self_test == SelfTest()
    test = world.later(20).reconcile().self_test
    assert (test.ok, test.error) == (False, "the canary's event did not arrive within 900 s")


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_an_event_that_arrives_late_does_not_make_the_test_good(mode: str) -> None:
    world, nonce = drilling(MODE=mode)
    arrive(world, nonce, 901, MODE=mode)
    test = world.later(300).reconcile(MODE=mode).self_test
    assert not test.ok
    assert test.error == "the canary's event arrived only after 901 s: 900 s are the bound"


def test_a_deny_that_holds_late_does_not_make_the_test_good() -> None:
    world, nonce = drilling()
    world.iam.fail["attach_role_policy"] = ["Throttling"]
    with pytest.raises(world.iam.exceptions.ClientError, match="Throttling"):
        arrive(world, nonce, 890)
    arrive(world, nonce, 60)
    test = world.later(300).reconcile().self_test
    assert (test.ok, test.error) == (False, "the deny held only after 950 s: 900 s are the bound")


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_an_event_that_eventbridge_could_not_deliver_fails_the_test(mode: str) -> None:
    world, nonce = drilling(MODE=mode)
    world.queue.put(canary_event(nonce), rule="iam-org-revoker-canary", code="NO_PERMISSIONS")
    test = world.later(300).reconcile(MODE=mode).self_test
    assert (test.ok, test.event_seconds) == (False, 300.0)
    assert test.error == (
        "its event came through the dead-letter queue: EventBridge could not invoke the revoker "
        "(NO_PERMISSIONS)"
    )
    assert world.iam.roles[CANARY_ROLE].attached == set()


def test_an_event_on_which_the_revoker_failed_each_time_fails_the_test_and_leaves_no_deny() -> None:
    world, nonce = drilling()
    world.iam.fail["detach_role_policy"] = ["Throttling"]
    with pytest.raises(world.iam.exceptions.ClientError, match="Throttling"):
        arrive(world, nonce, 5)
    world.queue.put({"requestPayload": canary_event(nonce)})
    test = world.later(300).reconcile().self_test
    assert (test.ok, test.event_seconds) == (False, 5.0)
    assert test.error == (
        "its event came through the dead-letter queue: the revoker failed on it, each time that "
        "Lambda tried"
    )
    assert world.iam.roles[CANARY_ROLE].attached == set()


def test_a_second_copy_among_the_dead_letters_does_not_fail_a_test_that_went_well() -> None:
    world, nonce = drilling()
    arrive(world, nonce, 5)
    world.queue.put(canary_event(nonce), rule="iam-org-revoker-canary", code="THROTTLING")
    assert world.later(300).reconcile().self_test.ok


def test_a_canary_that_cannot_be_tagged_fails_the_test_at_once() -> None:
    world = Rounds()
    world.iam.fail["tag_role"] = ["AccessDenied"]
    test = world.reconcile().self_test
    assert (test.ok, test.error) == (False, "the canary could not be tagged: AccessDenied")


def test_a_test_that_went_well_is_due_once_a_day_and_one_that_failed_after_an_hour() -> None:
    world, nonce = drilling()
    arrive(world, nonce, 5)
    for _ in range(94):
        world.later(900).reconcile()
    assert world.item("self_test")["nonce"] == nonce
    world.later(900).reconcile()
    assert world.item("self_test")["nonce"] != nonce
    unheard = world.item("self_test")["nonce"]
    world.later(2_700).reconcile()
    assert world.item("self_test")["nonce"] == unheard
    world.later(900).reconcile()
    assert world.item("self_test")["nonce"] != unheard


def test_the_event_of_an_older_self_test_is_no_arrival() -> None:
    world, _ = drilling()
    arrive(world, "1.000", 5)
    assert "arrived" not in world.item("self_test")


def test_an_event_that_comes_twice_keeps_its_first_arrival() -> None:
    world, nonce = drilling()
    arrive(world, nonce, 5)
    arrive(world, nonce, 60)
    assert world.item("self_test")["arrived"] == NOON + 15


@pytest.mark.parametrize("tags", [None, {}, [], ["x"], [{"key": "other", "value": "1"}], [{}]])
def test_a_canary_call_with_other_tags_is_no_arrival(tags: object) -> None:
    world, nonce = drilling()
    odd = canary_event(nonce, requestParameters={"roleName": CANARY_ROLE, "tags": tags})
    deliver(odd, world.tools())
    assert "arrived" not in world.item("self_test")


def test_somebody_elses_tag_on_the_canary_is_an_offence_and_no_arrival() -> None:
    world, nonce = drilling()
    id = world.iam.add_user("mallory")
    deliver(canary_event(nonce, userIdentity=a_user("mallory", id)), world.tools())
    assert "arrived" not in world.item("self_test")
    assert world.iam.holds("mallory")


def test_our_own_call_on_another_role_is_ignored() -> None:
    world, nonce = drilling()
    other = canary_event(nonce)
    other["detail"]["requestParameters"]["roleName"] = "canary"
    assert deliver(other, world.tools())["reason"] == "ourselves"
    assert "arrived" not in world.item("self_test")
