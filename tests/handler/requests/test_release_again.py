"""After the release of one whose credential an offender had: what comes again, what anew."""

from __future__ import annotations

from typing import Any

import pytest

from handler.model.names import SESSION_DENY_POLICY, iam_arn
from handler.revoker.respond.dispatch import deliver
from tests.doubles.account import NOON, a_user, event
from tests.doubles.iam import ACCOUNT
from tests.doubles.rounds import Rounds
from tests.handler.memberships import at

SESSION_DENY = iam_arn(partition="aws", account=ACCOUNT, kind="policy", name=SESSION_DENY_POLICY)
KEY = "AKIAEXAMPLENEW"


def recorded(world: Rounds, what: dict[str, Any]) -> dict[str, Any]:
    """The event as EventBridge delivers it; CloudTrail's history has it as well."""
    if what["detail"] not in world.trail.records:
        world.trail.records.append(what["detail"])
    return deliver(what, world.tools())


def held(world: Rounds, name: str) -> bool:
    return world.iam.holds(name) or SESSION_DENY in world.iam.users[name].attached


class Taken:
    """Mallory made a key for `name`, or set her password; and used it five seconds after noon."""

    def __init__(self, name: str, *, by: str = "key") -> None:
        self.world = Rounds()
        groups = ("Administrators",) if name == "alice" else ()
        self.id, self.name = self.world.iam.add_user(name, groups=groups), name
        self.world.installed()
        mallory = a_user("mallory", self.world.iam.add_user("mallory"))
        session = {"sessionContext": {"attributes": {"creationDate": at(2)}}}
        if by == "key":
            self.world.iam.users[name].keys[KEY] = "Active"
            made = {"accessKey": {"userName": name, "accessKeyId": KEY}}
            self.who = a_user(name, self.id, key=KEY)
            self.making = self._event(mallory, "CreateAccessKey", "made", 0, response=made)
        else:
            self.who = a_user(name, self.id, key="ASIACONSOLE") | session
            self.making = self._event(mallory, "UpdateLoginProfile", "made", 0, response=None)
        self.use = self.uses("used", 5)
        recorded(self.world, self.making)
        recorded(self.world, self.use)
        assert held(self.world, name)

    def uses(self, event_id: str, second: float) -> dict[str, Any]:
        return self._event(self.who, "CreateGroup", event_id, second, request={"groupName": "g"})

    def released(self, **request: Any) -> Taken:
        self.world.later(300)
        self.world.responder("release", principal=self.name, reason="is well", dry=False, **request)
        assert not held(self.world, self.name)
        return self

    def _event(
        self,
        who: dict[str, Any],
        name: str,
        event_id: str,
        second: float,
        *,
        request: Any = None,
        response: Any = None,
    ) -> dict[str, Any]:
        return event(
            who,
            name,
            eventID=event_id,
            eventTime=at(second),
            requestParameters=request or {"userName": self.name},
            responseElements=response,
        )


@pytest.mark.parametrize("by", ["key", "password"])
@pytest.mark.parametrize("name", ["alice", "victim"])
def test_what_was_done_before_the_release_contains_nobody_again(name: str, by: str) -> None:
    taken = Taken(name, by=by).released()
    for _ in range(3):
        taken.world.later(600).reconcile()
        assert not held(taken.world, name)
    for repeated in (taken.use, taken.making, taken.use):
        recorded(taken.world, repeated)
        assert not held(taken.world, name)


@pytest.mark.parametrize("by", ["key", "password"])
@pytest.mark.parametrize("name", ["alice", "victim"])
def test_the_next_call_with_the_stolen_credential_contains_as_before(name: str, by: str) -> None:
    taken = Taken(name, by=by).released()
    again = recorded(taken.world, taken.uses("again", taken.world.now - NOON + 1))
    assert (again["action"], again["reason"]) == ("contain", "tainted-credential")
    assert held(taken.world, name)


@pytest.mark.parametrize("name", ["alice", "victim"])
def test_a_session_that_the_stolen_key_began_contains_after_the_release_too(name: str) -> None:
    taken = Taken(name).released(keys="enable")
    session = {"sessionContext": {"attributes": {"creationDate": at(4)}}}
    taken.who = a_user(name, taken.id, key="ASIAMINTED") | session
    again = recorded(taken.world, taken.uses("minted", taken.world.now - NOON + 1))
    assert (again["action"], again["reason"]) == ("contain", "tainted-credential")


@pytest.mark.parametrize("name", ["alice", "victim"])
def test_a_key_that_the_responder_vouched_for_outlives_repeated_events_of_its_making(
    name: str,
) -> None:
    taken = Taken(name).released(keys="enable")
    for repeated in (taken.making, taken.use, taken.making):
        recorded(taken.world, repeated)
        taken.world.later(900).reconcile()
        assert taken.world.iam.users[name].keys == {KEY: "Active"}
        assert not held(taken.world, name)
    own = recorded(taken.world, taken.uses("own", taken.world.now - NOON))
    assert own["reason"] == ("administrator-user" if name == "alice" else "not-an-administrator")


def test_an_offender_who_touches_the_key_after_that_taints_it_anew() -> None:
    taken = Taken("alice").released(keys="enable")
    mallory = a_user("mallory", taken.world.iam.users["mallory"].id)
    touched = event(
        mallory,
        "UpdateAccessKey",
        eventID="touched",
        eventTime=at(taken.world.now - NOON + 1),
        requestParameters={"userName": "alice", "accessKeyId": KEY, "status": "Active"},
        responseElements=None,
    )
    taken.world.later(10)
    recorded(taken.world, touched)
    assert taken.world.iam.users["alice"].keys == {KEY: "Inactive"}
    assert "tainted" in taken.world.item(f"credential#{KEY}")


def test_keys_that_stayed_inactive_are_switched_on_by_a_second_release() -> None:
    taken = Taken("victim").released()
    assert taken.world.iam.users["victim"].keys == {KEY: "Inactive"}
    taken.released(keys="enable")
    assert taken.world.iam.users["victim"].keys == {KEY: "Active"}
    again = taken.world.responder(
        "release", principal="victim", reason="?", dry=False, keys="enable"
    )
    assert again["already"] is True


def test_what_a_stolen_session_gave_is_taken_back_though_its_owner_was_released() -> None:
    taken = Taken("alice", by="password").released()
    accomplice, second = taken.world.iam.add_user("accomplice"), taken.world.iam.add_user("second")
    made = event(
        taken.who,
        eventID="late",
        eventTime=at(6),
        responseElements={"user": {"userName": "accomplice", "userId": accomplice}},
    )
    added = taken._event(
        taken.who,
        "AddUserToGroup",
        "adds",
        7,
        request={"userName": "second", "groupName": "Administrators"},
    )
    # Taken for the administrator's own until the password was heard of.
    taken.world.table.update(f"principal#{second}", {"kind": "user", "add#adds": NOON + 7})
    taken.world.bus.entries.clear()
    recorded(taken.world, made)
    recorded(taken.world, added)
    assert taken.world.iam.holds("accomplice")
    assert "add#adds" not in taken.world.item(f"principal#{second}")
    assert not held(taken.world, "alice")
    assert [r.disposition.value for r in taken.world.bus.reports()] == ["notice", "notice"]
