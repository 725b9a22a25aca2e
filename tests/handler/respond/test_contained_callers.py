"""Callers who are contained already, or were released."""

from __future__ import annotations

from handler.model.names import DENY_POLICY
from handler.model.reasons import Action, Reason
from handler.model.report import Disposition
from handler.revoker.respond.respond import answer
from tests.doubles.account import NOON, World, a_user, call
from tests.handler.memberships import (
    creates,
)


def test_a_planted_release_in_the_future_counts_for_nothing() -> None:
    world = World().installed()
    mallory = world.iam.add_user("mallory")
    world.table.update(f"principal#{mallory}", {"released": NOON + 10**9})
    offence = creates(a_user("mallory", mallory), second=0)
    assert answer(offence, world.tools()).action is Action.CONTAIN


def test_a_call_made_before_the_release_does_not_contain_again() -> None:
    world = World().installed()
    mallory = world.iam.add_user("mallory")
    world.table.update(f"principal#{mallory}", {"released": NOON + 5})
    old = answer(creates(a_user("mallory", mallory), second=4), world.tools())
    assert (old.action, old.reason) == (Action.IGNORE, Reason.RELEASED)
    new = answer(creates(a_user("mallory", mallory), second=5, event="new"), world.tools())
    assert new.action is Action.CONTAIN


def test_a_contained_callers_denied_call_is_only_counted() -> None:
    world = World().installed()
    mallory = world.iam.add_user("mallory")
    answer(creates(a_user("mallory", mallory), second=0), world.tools())
    world.iam.calls.clear()
    denied = call(a_user("mallory", mallory), eventID="d", errorCode="AccessDenied")
    verdict = answer(denied, world.tools())
    assert (verdict.action, verdict.reason) == (Action.COUNT, Reason.CONTAINED_ALREADY)
    assert not [name for name in world.iam.calls if name.startswith(("attach", "add", "put"))]
    assert world.bus.reports()[1].disposition is Disposition.CONTAINED


def test_the_deny_policy_is_named_as_the_bus_policy_and_the_guardrail_expect() -> None:
    assert DENY_POLICY == "iam-org-revoker-deny"
