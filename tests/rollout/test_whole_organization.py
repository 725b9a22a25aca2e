"""An Organization of 40 accounts in 6 units and 3 rings: from its first file until nothing is left.

The tests are chapters of one story and run in this order, in one box.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.__main__ import profile
from sandbox.box import Box, open_box
from sandbox.organization_trail import start_trail
from sandbox.stage import bound, is_denied
from stacksets.carry import Template
from stacksets.coverage import Coverage, coverage
from stacksets.findings import State
from stacksets.heartbeats import read_kept
from stacksets.holding import look_into
from stacksets.removal import Choice
from stacksets.status import look as look_at_status
from stacksets.walk import StepFailed
from tests.rollout.operator import RELEASE, Operator, stacks
from tests.rollout.remains import remains
from tests.rollout.test_drift import detect, found, mended, spoil
from tests.rollout.test_remove import contain, planned, remove

ROOT = Path(__file__).parents[2]
ACCOUNTS = 40
# Where each unit hangs, by name; "" is the root. The box has made the first two.
UNITS = {
    "Workloads": "",
    "Sandbox": "",
    "Platform": "",
    "Partners": "",
    "Data": "",
    "Payments": "Workloads",
}
RINGS = """
[[ring]]
name = "canary"
units = ["Sandbox"]
mode = "enforce"
observed_since = 2026-01-01
accept_unguarded = true

[[ring]]
name = "early"
units = ["Platform", "Partners"]

[[ring]]
name = "everyone"
units = ["Workloads", "Data"]

"""


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with open_box(member_count=2) as opened:
        yield opened


@pytest.fixture(scope="module")
def operator(box: Box, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """With the file that init writes, and three rings in it."""
    org = box.client("organizations", box.management)
    units = {"Workloads": box.layout.workloads, "Sandbox": box.layout.sandbox}
    for name, above in UNITS.items():
        if name not in units:
            made = org.create_organizational_unit(
                ParentId=units.get(above, box.layout.root), Name=name
            )
            units[name] = made["OrganizationalUnit"]["Id"]
    org.move_account(
        AccountId=box.security,
        SourceParentId=box.layout.root,
        DestinationParentId=units["Platform"],
    )
    for number in range(ACCOUNTS - 3):
        name = list(UNITS)[number % len(UNITS)]
        box.new_account(f"{name.lower()}-{number}", parent=units[name])
    text = initial(box, tmp_path_factory.mktemp("init"))
    before, _, rest = text.partition("[[ring]]")
    text = before.replace('"undecided"', '"nobody"') + RINGS + rest[rest.index("[management]") :]
    return Operator(box, text)


def initial(box: Box, folder: Path) -> str:
    """What `python -m stacksets init` writes, run as a person of the management account."""
    config, file = folder / "config", folder / "rollout.toml"
    config.write_text(profile(box, box.management, "management"))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "stacksets", "init", "--file", str(file)),
            *("--profile", "management", "--email", "security@example.com"),
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "AWS_CONFIG_FILE": str(config)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return file.read_text()


def everybody(box: Box) -> list[str]:
    listed = box.client("organizations", box.management).get_paginator("list_accounts").paginate()
    return sorted(one["Id"] for page in listed for one in page["Accounts"])


def quiet(box: Box) -> None:
    """Let everything arrive."""
    box.settle(timeout=200, ignore_hidden=True)


def seen(operator: Operator) -> Coverage:
    given = operator.look()
    sight = look_at_status(
        given.wanted, operator.clients(), member=given.member, now=operator.box.time()
    )
    assert read_kept(operator.box.client("dynamodb", operator.box.security)).readable
    return coverage(sight)


def states(operator: Operator) -> dict[State, int]:
    return dict(Counter(row.state for row in seen(operator).rows))


def patrol(box: Box) -> None:
    """Two rounds of patrols, the self-test in between, and the sweep that reads what they tell."""
    for seconds in (901, 901, 61):
        box.advance(seconds)
        box.tick()
        quiet(box)


def test_init_names_the_centre_and_every_unit(operator: Operator) -> None:
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
    given = operator.look()
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
    box.stack_failures[bad] = "The account is not ready"
    with pytest.raises(StepFailed) as stopped:
        operator.apply()
    assert stopped.value.accounts[bad] == "The account is not ready"
    assert stopped.value.step.ring == "canary"
    assert not [one for one in operator.accounts_in("Platform") if list(stacks(box, one))[1:]]
    assert states(operator)[State.FAILED] >= 1
    del box.stack_failures[bad]
    operator.apply()
    quiet(box)
    uncovered = [one for one in everybody(box) if not list(stacks(box, one))]
    assert uncovered == []


def test_a_second_apply_has_nothing_to_do(operator: Operator) -> None:
    before = list(operator.made)
    assert operator.plan().empty
    operator.apply()
    assert operator.made == before


def test_after_the_first_patrols_everybody_is_seen_and_the_canary_ring_is_covered(
    operator: Operator,
) -> None:
    patrol(operator.box)
    canary = len(operator.accounts_in("Sandbox"))
    assert states(operator) == {
        State.COVERED: canary,
        State.NOT_ENFORCING: ACCOUNTS + 1 - canary,
    }


def test_who_joins_is_covered_and_who_leaves_is_not(operator: Operator) -> None:
    box = operator.box
    given = operator.look()
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
    operator.walker(operator.clients()).walk(mended(operator, given).own)
    box.settle(timeout=200, ignore_hidden=True)
    assert found(operator, detect(operator)) == []
    assert is_denied(mallory.list_users)
    (held,) = look_into(operator.clients(), [account]).values()
    assert sorted(one.name for one in held.contained) == ["mallory", "puppet"]


def test_nothing_of_ours_is_left_but_whom_it_keeps(operator: Operator) -> None:
    box = operator.box
    account = operator.accounts_in("Sandbox")[0]
    remove(operator, Choice.KEEP)
    quiet(box)
    left = {one: remains(box, one) for one in everybody(box)}
    kept = f"arn:aws:iam::{account}:policy/iam-org-revoker-kept/iam-org-revoker-kept"
    assert {one: what for one, what in left.items() if what} == {account: [kept]}
    assert planned(operator, None).empty
