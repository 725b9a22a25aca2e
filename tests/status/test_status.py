"""`status` in a box: each state as AWS's own answers and the revokers' heartbeats make it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from handler.model.names import CALLS_RULE, RECONCILE_SCHEDULE, SWEEP_RULE
from sandbox.demo.organization_trail import TRAIL_NAME
from stacksets.cli.common import Stopped
from stacksets.cli.status import read_status
from stacksets.config.load import read_wanted
from stacksets.observe.clients import Clients
from stacksets.observed.heartbeats import Opened, read_kept
from stacksets.observed.templates import Template, read_template
from stacksets.permissions.operator import Place, document, permissions
from stacksets.status.coverage import Coverage, coverage
from stacksets.status.states import State
from tests.status.conftest import ROOT, Landscape
from tests.waiting import wait_until

# tests/rollout/test_rolled_back.py has a stack that failed.
ONLY_AFTER_A_FAILURE = "cloudformation:DescribeStackEvents"


@cache
def template(name: str) -> Template:
    return read_template(ROOT / "templates" / f"{name}.yaml")


def seen(landscape: Landscape, under: Clients | None = None) -> Coverage:
    """What `status` sees, by the box's own clock, as root where nobody else is named."""
    box = landscape.box
    member, central = template("member"), template("central")
    wanted = read_wanted(
        landscape.file.read_text(),
        member=member.document["Parameters"],
        central=central.document["Parameters"],
    )
    clients = Clients(
        caller=f"arn:aws:iam::{box.management}:root",
        make=lambda service, account: box.client(service, account),
        elsewhere=lambda service, region: box.client(service, box.management, region=region),
    )
    return coverage(read_status(wanted, under or clients, member=member, now=box.time()))


def watcher(landscape: Landscape, *, without: str = "") -> Clients:
    """Sessions of roles that may do what is documented for `status` and nothing else."""
    box = landscape.box
    keys = {
        account: box.new_session(
            account, f"watcher{abs(hash(without))}", document(place, without=without)
        )
        for account, place in (
            (box.management, Place.SEEING),
            (box.security, Place.SEEING_CENTRAL),
        )
    }

    def make(service: str, account: str) -> Any:
        return box.client(service, account, key=keys[account])

    caller = f"arn:aws:sts::{box.management}:assumed-role/watcher/somebody"
    return Clients(caller=caller, make=make, elsewhere=make)


def states(landscape: Landscape) -> dict[str, State]:
    return {row.account.name: row.state for row in seen(landscape).rows}


def why(landscape: Landscape, name: str) -> str:
    (row,) = [row for row in seen(landscape).rows if row.account.name == name]
    return row.finding.why


@pytest.fixture(scope="module")
def covered(landscape: Landscape) -> Landscape:
    """The first reconciliation tags the canary, the second tells how that went."""
    landscape.quarter(2)
    return landscape


def test_before_anybody_was_heard_of_all_are_silent_or_not_reached(landscape: Landscape) -> None:
    found = landscape.run("status", "--json")
    assert found.returncode == 1, found.stderr
    reported = json.loads(found.stdout)
    by_name = {one["name"]: one["state"] for one in reported["accounts"]}
    assert by_name["outside"] == "not reached"
    assert by_name["excluded"] == "excluded"
    assert reported["covered"] is False


def test_an_account_is_covered_once_its_self_test_has_passed(covered: Landscape) -> None:
    found = states(covered)
    assert {name: found[name] for name in ("covered", "watched", "outside", "excluded")} == {
        "covered": State.COVERED,
        "watched": State.NOT_ENFORCING,
        "outside": State.NOT_REACHED,
        "excluded": State.EXCLUDED,
    }
    whole = seen(covered)
    assert whole.contained is not None
    assert whole.contained.accounts == 6
    assert 0 < whole.contained.median <= whole.contained.p99 < 60
    (management,) = [row for row in whole.rows if row.account.id == covered.box.management]
    assert management.state is State.NOT_ENFORCING
    assert not management.amiss


def test_the_command_prints_a_table_writes_a_page_and_fails_while_something_is_amiss(
    covered: Landscape, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    found = covered.run("status", "--page", str(page))
    assert found.returncode == 1, found.stderr
    said = " ".join(found.stdout.split())
    assert f"o not reached {covered.accounts['outside']} outside No ring of the file" in said
    assert "- excluded" in said
    assert "It is the vault of backups." in said
    assert covered.accounts["covered"] in page.read_text()
    assert max(map(len, found.stdout.splitlines())) <= 100


def test_it_enters_the_accounts_by_the_role_that_the_option_names(
    covered: Landscape, tmp_path: Path
) -> None:
    security = covered.box.security
    without_profile = tmp_path / "rollout.toml"
    text = covered.file.read_text()
    profiles = f'[access.profiles]\n{security} = "security"\n'
    assert profiles in text
    without_profile.write_text(text.replace(profiles, ""))
    found = covered.run(
        "status", "--file", str(without_profile), "--access-role", "rescuers/nobody"
    )
    assert found.returncode == 2
    assert found.stdout == ""
    assert f"arn:aws:iam::{security}:role/rescuers/nobody" in found.stderr


def test_it_works_under_exactly_the_documented_permissions(covered: Landscape) -> None:
    assert seen(covered, watcher(covered)).counts == seen(covered).counts


def test_each_missing_permission_is_named_with_what_to_do(covered: Landscape) -> None:
    for place in (Place.SEEING, Place.SEEING_CENTRAL):
        for one in permissions(place):
            if one.action == ONLY_AFTER_A_FAILURE:
                continue
            with pytest.raises(Stopped) as stopped:
                seen(covered, watcher(covered, without=one.action))
            assert one.action in stopped.value.said, one
            assert "Give the operator the permission that AWS names" in stopped.value.said
            assert stopped.value.code == 2


def test_each_state_is_told_with_its_reason(covered: Landscape) -> None:
    box, accounts = covered.box, covered.accounts
    box.client("cloudtrail", accounts["ill"]).stop_logging(Name=TRAIL_NAME)
    box.client("events", accounts["drifted"]).disable_rule(Name=CALLS_RULE)
    scheduler = box.client("scheduler", accounts["silent"])
    (schedule,) = [
        one for one in scheduler.list_schedules()["Schedules"] if one["Name"] == RECONCILE_SCHEDULE
    ]
    scheduler.delete_schedule(Name=schedule["Name"], GroupName=schedule["GroupName"])
    box.client("organizations", box.management).close_account(AccountId=accounts["suspended"])
    newcomer = str(max(int(one) for one in accounts.values()) + 1)
    box.state.stack_failures[newcomer] = "The account's concurrency is used up."
    assert box.new_account("failing", parent=covered.units["Enforced"]) == newcomer
    wait_until(lambda: states(covered)["failing"] is State.FAILED)
    covered.quarter(3)
    found = states(covered)
    assert {name: found[name] for name in (*accounts, "failing") if name != "outdated"} == {
        "covered": State.COVERED,
        "ill": State.UNHEALTHY,
        "drifted": State.DRIFTED,
        "silent": State.NOT_REPORTING,
        "excluded": State.EXCLUDED,
        "suspended": State.SUSPENDED,
        "watched": State.NOT_ENFORCING,
        "outside": State.NOT_REACHED,
        "failing": State.FAILED,
    }
    assert why(covered, "ill") == "The trail is stopped: no call is seen."
    assert why(covered, "drifted") == "The rule iam-org-revoker-calls is DISABLED."
    assert why(covered, "failing") == (
        "StackSet iam-org-revoker-late failed there. AWS: The account's concurrency is used up."
    )
    box.state.stack_failures.clear()


def test_drift_that_cloudformation_found_is_told(covered: Landscape) -> None:
    box, account = covered.box, covered.accounts["ill"]
    box.client("lambda", account).update_function_configuration(
        FunctionName="iam-org-revoker", Timeout=3
    )
    cloudformation = box.client("cloudformation", box.management)
    name = "iam-org-revoker-late"
    begun = cloudformation.detect_stack_set_drift(StackSetName=name)["OperationId"]
    asked = {"StackSetName": name, "OperationId": begun}
    wait_until(
        lambda: (
            cloudformation.describe_stack_set_operation(**asked)["StackSetOperation"]["Status"]
            not in ("QUEUED", "RUNNING")
        )
    )
    (row,) = [row for row in seen(covered).rows if row.account.id == account]
    assert row.state is State.UNHEALTHY
    assert [one.why for one in row.also if one.state is State.DRIFTED] == [
        f"CloudFormation finds that StackSet {name} was changed there by hand."
    ]
    assert states(covered)["covered"] is State.COVERED


def test_a_file_that_asks_for_something_else_makes_its_ring_outdated(covered: Landscape) -> None:
    covered.write(enforced='BreakerLimit = "9"')
    try:
        assert states(covered)["outdated"] is State.OUTDATED
        assert why(covered, "outdated") == (
            "StackSet iam-org-revoker-late has other parameters than the file: BreakerLimit."
        )
        assert states(covered)["watched"] is State.NOT_ENFORCING
    finally:
        covered.write()


def test_what_somebody_did_to_the_function_is_drift(covered: Landscape) -> None:
    account = covered.accounts["outdated"]
    client = covered.box.client("lambda", account)
    known = client.get_function_configuration(FunctionName="iam-org-revoker")
    variables = known["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName="iam-org-revoker",
        Environment={"Variables": {**variables, "ADMIN_GROUP_NAME": "everybody"}},
    )
    covered.quarter()
    assert why(covered, "outdated") == "The revoker works with other parameters than its stack."
    client.update_function_configuration(
        FunctionName="iam-org-revoker", Environment={"Variables": variables}
    )
    covered.quarter()
    assert states(covered)["outdated"] is State.COVERED


def test_nobody_is_called_silent_while_the_central_account_does_not_sweep(
    covered: Landscape,
) -> None:
    events = covered.box.client("events", covered.box.security)
    events.disable_rule(Name=SWEEP_RULE)
    covered.box.advance(3_600)
    whole = seen(covered)
    events.enable_rule(Name=SWEEP_RULE)
    assert not any(row.state is State.NOT_REPORTING for row in whole.rows)
    assert whole.notes[0].startswith("The central account itself is behind")


def test_incidents_are_counted_by_account_and_day(covered: Landscape) -> None:
    box, account = covered.box, covered.accounts["covered"]
    days = {int(box.time()) // 86_400}
    key = box.new_user(account, "mallory", "iam:*")
    client = box.client("iam", key=key)
    client.create_user(UserName="accomplice")
    box.settle(ignore_hidden=True)
    kept = read_kept(box.client("dynamodb", box.security))
    # Midnight may have been in between.
    days.add(int(box.time()) // 86_400)
    assert sum(kept.opened.get(Opened(account, day, "contained"), 0) for day in days) >= 1
