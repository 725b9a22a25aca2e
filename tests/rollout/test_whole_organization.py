"""An Organization of 40 accounts in 6 units and 3 rings: from its first file until nothing is left.

The tests are chapters of one story and run in this order, in one box.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from handler.model.names import DENY_POLICY, REVOKER, iam_arn
from sandbox.box import Box, open_box
from sandbox.demo.organization_trail import start_trail
from sandbox.demo.product_setup import bound, is_denied
from stacksets.execute.executor import StepFailed
from stacksets.observe.containments import look_into
from stacksets.observed.templates import Template
from stacksets.planners.removal import Choice
from stacksets.status.states import State
from tests.rollout.operator import RELEASE, Operator, stacks
from tests.rollout.organization import (
    ACCOUNTS,
    EARLY,
    EVERYONE,
    everybody,
    founded,
    quiet,
    reconcile,
    reported,
    seen,
    states,
)
from tests.rollout.removal.remains import remains
from tests.rollout.removal.test_drift import detect, found, repaired, spoil
from tests.rollout.removal.test_remove import contain, planned, remove


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with open_box(member_count=2, held=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def operator(box: Box, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    return founded(box, tmp_path_factory.mktemp("init"))


def test_init_names_the_central_account_and_every_unit(operator: Operator) -> None:
    assert f'account = "{operator.box.security}"' in operator.file
    assert len(everybody(operator.box)) == ACCOUNTS + 1
    assert operator.plan().refusals == ()


def test_a_policy_that_denies_the_region_is_found_before_anything_is_tried(
    operator: Operator,
) -> None:
    box = operator.box
    elsewhere = (
        '{"Version":"2012-10-17","Statement":[{"Sid":"OnlyEurope","Effect":"Deny","Action":"*",'
        '"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}]}'
    )
    given = operator.read_inputs()
    unit = given.unit_id("Data")
    assert unit
    with bound(box, unit, elsewhere):
        refusals = operator.plan().refusals
    assert refusals
    assert all("OnlyEurope" in one for one in refusals), refusals
    assert operator.made == []


def test_one_account_fails_and_stops_the_rollout_which_the_next_apply_goes_on_with(
    operator: Operator,
) -> None:
    box = operator.box
    for account in everybody(box):
        start_trail(box, account)
    bad = operator.accounts_in("Sandbox")[-1]
    box.state.stack_failures[bad] = "The account is not ready"
    with pytest.raises(StepFailed) as stopped:
        operator.apply()
    assert stopped.value.accounts[bad] == "The account is not ready"
    assert stopped.value.step.ring == "canary"
    assert not [one for one in operator.accounts_in("Platform") if list(stacks(box, one))[1:]]
    assert states(operator)[State.FAILED] >= 1
    del box.state.stack_failures[bad]
    operator.apply()
    quiet(box)
    uncovered = [one for one in everybody(box) if not list(stacks(box, one))]
    assert uncovered == []


def test_a_second_apply_has_nothing_to_do(operator: Operator) -> None:
    before = list(operator.made)
    assert operator.plan().empty
    operator.apply()
    assert operator.made == before


def test_after_the_first_reconciliations_everybody_is_seen_and_the_canary_ring_is_covered(
    operator: Operator,
) -> None:
    reconcile(operator.box)
    canary = len(operator.accounts_in("Sandbox"))
    assert states(operator) == {
        State.COVERED: canary,
        State.NOT_ENFORCING: ACCOUNTS + 1 - canary,
    }


def test_who_joins_is_covered_and_who_leaves_is_not(operator: Operator) -> None:
    box = operator.box
    given = operator.read_inputs()
    joined = box.new_account("newcomer", parent=given.unit_id("Payments"))
    left = operator.accounts_in("Partners")[0]
    box.client("organizations", box.management).remove_account_from_organization(AccountId=left)
    if operator.plan().unfinished:
        operator.apply()
    assert operator.plan().empty
    assert len(list(stacks(box, joined))) == 1
    assert list(stacks(box, left)) == []
    quiet(box)
    rows = {row.account.id: row.state for row in seen(operator).rows}
    assert left not in rows
    assert rows.pop(joined) not in (State.COVERED, State.NOT_ENFORCING)
    assert set(rows.values()) == {State.COVERED, State.NOT_ENFORCING}


def test_an_upgrade_reaches_every_account_and_shows_what_it_changes(operator: Operator) -> None:
    box = operator.box
    document = json.loads(RELEASE.member.body)
    document["Resources"]["Revoker"]["Properties"]["MemorySize"] = 384
    operator.release = replace(RELEASE, member=Template("member", json.dumps(document)))
    assert State.OUTDATED in states(operator)
    shown = [line for step in operator.plan().steps for line in step.shows]
    assert any("Revoker" in line for line in shown), shown
    operator.apply()
    assert operator.plan().empty
    for account in everybody(box):
        found = box.client("lambda", account).get_function_configuration(
            FunctionName="iam-org-revoker"
        )
        assert found["MemorySize"] == 384
    quiet(box)


def test_drift_is_found_named_and_mended_with_its_containments_kept(operator: Operator) -> None:
    box = operator.box
    account = operator.accounts_in("Sandbox")[0]
    mallory = box.client("iam", account, key=contain(box, account))
    spoil(box, account)
    given = detect(operator)
    assert {(one.account, one.resource) for one in found(operator, given)} == {
        (account, "CallsRule"),
        (account, "DenyPolicy"),
    }
    assert states(operator)[State.DRIFTED] == 1
    operator.walker(operator.clients()).walk(repaired(operator, given).own)
    box.settle(timeout=600, ignore_hidden=True)
    assert found(operator, detect(operator)) == []
    assert is_denied(mallory.list_users)
    (held,) = look_into(operator.clients(), [account]).values()
    assert sorted(one.name for one in held.contained) == ["accomplice", "mallory"]


def test_the_second_ring_enforces_only_when_the_file_has_decided_all_that_it_must(
    operator: Operator,
) -> None:
    observing = operator.file
    moved = observing.replace(EARLY, f'{EARLY}mode = "enforce"\n')
    assert moved != observing
    operator.file = moved.replace('MissingGroup = "treat-as-empty"', 'MissingGroup = "undecided"')
    refusals = [one for one in operator.plan().refusals if one.startswith("ring early ")]
    assert [" ".join(one.split()[4:6]).rstrip(",") for one in refusals] == [
        "while MissingGroup",
        "without observed_since",
        "without the",
    ]
    yesterday = operator.today - timedelta(days=1)
    operator.file = moved.replace(EARLY, f"{EARLY}observed_since = {yesterday}\n")
    assert "has observed since" in operator.plan().refusals[0]
    long_ago = operator.today - timedelta(days=60)
    operator.file = moved.replace(EARLY, f"{EARLY}observed_since = {long_ago}\n")
    assert len(operator.plan().refusals) == 1
    operator.file = operator.file.replace('attach = "nowhere"', 'attach = "rings"')
    assert operator.plan().refusals == ()


def test_the_second_ring_contains_a_rogue_call_and_tells_of_it_once(operator: Operator) -> None:
    box = operator.box
    account = operator.accounts_in("Partners")[0]
    operator.apply()
    assert operator.plan().empty
    mode = box.client("lambda", account).get_function_configuration(FunctionName=REVOKER)
    assert mode["Environment"]["Variables"]["MODE"] == "enforce"
    before = len(reported(box, account))
    mallory = box.client("iam", account, key=contain(box, account))
    quiet(box)
    assert reported(box, account)[before:] == [f"[IAM revoked] {account} user mallory: CreateUser"]
    # The guardrail keeps the deny on, whoever else may change IAM there.
    deny = iam_arn(partition="aws", account=account, kind="policy", name=DENY_POLICY)
    eve = box.client("iam", account, key=box.new_session(account, "eve", "iam:*"))
    assert is_denied(lambda: eve.detach_user_policy(UserName="mallory", PolicyArn=deny))
    assert is_denied(mallory.list_users)


def test_the_third_ring_and_the_management_account_enforce_as_well(operator: Operator) -> None:
    box = operator.box
    since = f"observed_since = {operator.today - timedelta(days=60)}\n"
    operator.file = operator.file.replace(EVERYONE, f'{EVERYONE}mode = "enforce"\n{since}')
    enforcing = f'[management]\nmode = "enforce"\n{since}'
    before, _, rest = operator.file.partition("[management]\n")
    rest = rest.replace('mode = "observe"', "", 1)
    operator.file = f"{before}{enforcing}{rest}"
    (refusal,) = operator.plan().refusals
    assert refusal.startswith("management cannot enforce without the guardrail on it")
    operator.file = f"{before}{enforcing}accept_unguarded = true\n{rest}"
    operator.apply()
    assert operator.plan().empty
    for account in (operator.accounts_in("Data")[0], box.management):
        seen_before = len(reported(box, account))
        contain(box, account)
        quiet(box)
        assert reported(box, account)[seen_before:] == [
            f"[IAM revoked] {account} user mallory: CreateUser"
        ]


def test_nothing_of_ours_is_left_but_whom_it_keeps(operator: Operator) -> None:
    box = operator.box
    contained = {operator.accounts_in(one)[0] for one in ("Sandbox", "Partners", "Data")}
    contained.add(box.management)
    remove(operator, Choice.KEEP)
    quiet(box)
    left = {one: remains(box, one) for one in everybody(box)}
    assert {one: what for one, what in left.items() if what} == {
        one: [f"arn:aws:iam::{one}:policy/iam-org-revoker-kept/iam-org-revoker-kept"]
        for one in contained
    }
    assert planned(operator, None).empty
