"""What it costs: the document is what the script computes, and an idle account is cheap."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import prices
from benchmarks.cost import (
    DOCUMENT,
    RECONCILING_SECONDS,
    SIZES,
    Made,
    heard_account,
    idle_account,
    per_month,
    read_made,
    reconciling_seconds,
    total,
    with_tables,
)
from benchmarks.prices import PUBLISHED_COSTS


@pytest.fixture(scope="module")
def member() -> Made:
    return read_made("member")


@pytest.fixture(scope="module")
def central() -> Made:
    return read_made("central")


def test_the_document_shows_what_the_script_computes() -> None:
    text = DOCUMENT.read_text()
    assert with_tables(text) == text, "run python -m benchmarks.cost"


def test_what_the_templates_make_is_what_the_sums_begin_with(member: Made, central: Made) -> None:
    assert member == Made(
        memory_gb=0.25, wakes_a_month=2_920.0, keys=0, alarms=0, metrics=0, sealed_tables=0
    )
    assert central == Made(
        memory_gb=0.5, wakes_a_month=43_800.0, keys=1, alarms=5, metrics=2, sealed_tables=1
    )


@pytest.mark.parametrize("accounts", SIZES)
def test_an_idle_account_costs_less_than_ten_cents_a_month(
    member: Made, central: Made, accounts: int
) -> None:
    heard = heard_account(central, member, accounts=accounts)
    assert 0.01 < total(idle_account(member), heard) < 0.10


def test_a_reconciliation_gets_the_share_of_a_processor_that_its_memory_brings(
    member: Made,
) -> None:
    """AWS Lambda Developer Guide, "Configure Lambda function memory": one vCPU at 1,769 MB."""
    whole = replace(member, memory_gb=1_769 / 1_024)
    assert reconciling_seconds(whole) == pytest.approx(RECONCILING_SECONDS)
    assert reconciling_seconds(member) == pytest.approx(RECONCILING_SECONDS * 1_769 / 256)


def test_a_poller_or_an_alarm_in_each_member_would_show(member: Made) -> None:
    often = replace(member, wakes_a_month=member.wakes_a_month * 15)
    assert total(idle_account(often)) > 0.10
    assert prices.ALARM.dollars * 3 > 0.10


def test_a_busy_organization_costs_less_than_the_published_solution(
    member: Made, central: Made
) -> None:
    for accounts, published in PUBLISHED_COSTS.items():
        assert per_month(member, central, accounts=accounts, busy=True) < published
