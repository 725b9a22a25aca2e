"""The verdict tables on the source and on the code that the template deploys."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from handler.model.reasons import REASONS, Action, Reason
from tests.handler.judge.tables import (
    ENVIRONMENT,
    OWN_ROLE_ARN,
    Case,
    bases,
    record_of,
    source_code,
    tables,
    template_code,
)

CODES = ("source", "template")
CASES = [case for table in tables().values() for case in table]


@cache
def code(name: str) -> Any:
    if name == "source":
        return source_code()
    return template_code()


def judged(case: Case, index: Any) -> tuple[str, str, str]:
    verdict = index.decide(
        index.read_record(record_of(case)),
        index.Standing(**case.standing),
        index.read_settings(ENVIRONMENT | case.settings),
        own_role_arn=OWN_ROLE_ARN,
    )
    return verdict.action.value, verdict.reason.value, verdict.held_by


@pytest.mark.parametrize("code_name", CODES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.table}: {case.name}")
def test_the_verdict_is_as_the_table_says(case: Case, code_name: str) -> None:
    assert judged(case, code(code_name)) == (case.action, case.reason, case.held_by)


@pytest.mark.parametrize("code_name", CODES)
def test_every_case_of_every_table_is_judged_and_none_twice(code_name: str) -> None:
    names = [(case.table, case.name) for case in CASES]
    assert len(names) == len(set(names))
    index = code(code_name)
    seen = {reason for _, reason, _ in (judged(case, index) for case in CASES)}
    assert seen == {reason.value for reason in index.Reason}


def test_every_reason_has_a_table_with_a_yes_case_and_no_cases() -> None:
    assert set(tables()) == {reason.value for reason in Reason}
    lacking = [
        name
        for name, cases in tables().items()
        if not any(case.reason == name for case in cases)
        or not any(case.reason != name for case in cases)
    ]
    assert lacking == []


def test_every_base_record_stands_in_some_case() -> None:
    assert {case.base for case in CASES if case.base} == set(bases())


def test_every_action_is_the_outcome_of_some_case() -> None:
    assert {case.action for case in CASES} == {action.value for action in Action}


def test_every_reason_has_its_sentence() -> None:
    assert list(REASONS) == list(Reason)
    assert all(sentence.endswith(".") for sentence in REASONS.values())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.table}: {case.name}")
def test_a_rule_that_needs_no_look_up_says_the_same_before_it(case: Case) -> None:
    """What `settled` decides, `decide` decides alike, whatever the standing."""
    index = code("source")
    call = index.read_record(record_of(case))
    early = index.settled(call, own_role_arn=OWN_ROLE_ARN)
    needs_nothing = {"unreadable", "aws-service", "ourselves"}
    assert (early is not None) == (case.reason in needs_nothing)
