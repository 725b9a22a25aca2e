"""Every call fails in every way, and every case ends as it must; and a bad product is found out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from handler.notifier import main
from handler.notifier.send import publish
from handler.revoker.respond import contain_caller, dispatch, respond
from tests.faults.central_cases import CentralScenario, central_breaches
from tests.faults.client_faults import Plan
from tests.faults.member_cases import Scenario, breaches
from tests.faults.scenarios import CENTRAL, MEMBER, plans

Breaches = dict[Plan, list[str]]


@pytest.fixture(scope="session")
def every(everything: bool) -> int:
    """Play each plan, or one of so many in the short run: the faults take turns over the calls."""
    return 1 if everything else 7


def wrong_in_member(scenario: Scenario, every: int = 1) -> Breaches:
    found = {plan: breaches(scenario, plan) for plan in plans(scenario)[::every]}
    return {plan: wrong for plan, wrong in found.items() if wrong}


def wrong_in_central(scenario: CentralScenario, every: int = 1) -> Breaches:
    found = {plan: central_breaches(scenario, plan) for plan in plans(scenario)[::every]}
    return {plan: wrong for plan, wrong in found.items() if wrong}


def name(scenario: Scenario | CentralScenario) -> str:
    return scenario.name


@pytest.mark.parametrize("scenario", MEMBER, ids=name)
def test_whatever_fails_in_a_member_no_offender_ends_free_and_nobody_goes_untold(
    scenario: Scenario, every: int
) -> None:
    assert breaches(scenario, None) == []
    assert wrong_in_member(scenario, every) == {}


@pytest.mark.parametrize("scenario", CENTRAL, ids=name)
def test_whatever_fails_in_the_central_account_each_mail_comes_and_once(
    scenario: CentralScenario, every: int
) -> None:
    assert central_breaches(scenario, None) == []
    assert wrong_in_central(scenario, every) == {}


# ---- a test must be able to fail


def swallowing(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as somebody would write it who thinks that nothing ever fails twice."""

    def swallow(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except (BotoCoreError, ClientError):
            return {"eventId": "", "action": "", "reason": ""}

    return swallow


def doing_nothing(*_: Any, **__: Any) -> None:
    return None


def only(scenarios: tuple[Any, ...], wanted: str) -> Any:
    [found] = [one for one in scenarios if one.name == wanted]
    return found


def test_a_revoker_that_swallows_its_errors_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handler.revoker.main.deliver", swallowing(dispatch.deliver))
    says = {text for wrong in wrong_in_member(only(MEMBER, "a user")).values() for text in wrong}
    assert {"no mail on mallory", "mallory ends free"} <= says


def test_a_revoker_that_tells_before_it_acts_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contain_caller, "mark_contained", doing_nothing)
    wrong = breaches(only(MEMBER, "a user"), None)
    assert wrong == ["contained of mallory is not written down"]


def test_a_try_that_nobody_takes_back_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(respond, "undo_try", doing_nothing)
    wrong = wrong_in_member(only(MEMBER, "a member proven too late"))
    assert {text for texts in wrong.values() for text in texts} == {
        "contained of bob is not written down"
    }


def test_a_notifier_that_acknowledges_what_failed_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def acknowledging(*arguments: Any) -> dict[str, Any]:
        real(*arguments)
        return {"batchItemFailures": []}

    real = main.answer_batch
    monkeypatch.setattr(main, "answer_batch", acknowledging)
    wrong = wrong_in_central(only(CENTRAL, "the first report"))
    assert any("0 calls counted instead of 1" in texts for texts in wrong.values())


def test_a_notifier_that_never_marks_a_mail_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "mark_mailed", doing_nothing)
    assert central_breaches(only(CENTRAL, "the first report"), None) != []


def test_a_claim_that_holds_for_ever_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handler.notifier.store.incidents.LEASE_SECONDS", 10**6)
    wrong = wrong_in_central(only(CENTRAL, "the first report"))
    assert any("is held by a dead one" in text for texts in wrong.values() for text in texts)
