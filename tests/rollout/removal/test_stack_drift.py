"""The command drift over the whole rollout: the two ordinary stacks are looked at as well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.box import Box
from tests.rollout.operator import Operator
from tests.rollout.test_command_line import Terminal

pytestmark = pytest.mark.deep


@pytest.fixture
def terminal(operator: Operator, tmp_path: Path) -> Terminal:
    operator.apply()
    made = Terminal(operator.box, tmp_path)
    profile = f'[access.profiles]\n{operator.box.security} = "security"\n'
    made.file.write_text(operator.file + profile)
    return made


def test_what_somebody_changed_in_the_central_account_is_named_and_never_replaced(
    box: Box, operator: Operator, terminal: Terminal
) -> None:
    clean = terminal.run("drift", "--poll", "0.1")
    assert (clean.returncode, clean.stderr) == (0, "")
    assert clean.stdout.splitlines()[-1] == "0 resources in 0 accounts have drifted."

    sweep = {"Name": "iam-org-revoker-sweep"}
    box.client("events", box.security).disable_rule(**sweep)
    box.client("lambda", box.management).update_function_configuration(
        FunctionName="iam-org-revoker", Timeout=3
    )
    found = terminal.run("drift", "--json", "--poll", "0.1")
    assert found.returncode == 1
    reported = json.loads(found.stdout)
    assert reported["not_looked_at"] == {}
    assert [
        (one["account"], one["stack"], one["resource"], one["paths"]) for one in reported["drifted"]
    ] == [
        (box.security, "iam-org-revoker-central", "SweepRule", ["/State"]),
        (box.management, "iam-org-revoker", "Revoker", ["/Timeout"]),
    ]
    assert [one["accounts"] for one in reported["by_hand"]] == [[box.security], [box.management]]

    stacks = {
        account: box.client("cloudformation", account).describe_stacks(StackName=name)["Stacks"]
        for account, name in (
            (box.security, "iam-org-revoker-central"),
            (box.management, "iam-org-revoker"),
        )
    }
    repaired = terminal.run("drift", "--repair", "--yes", "--poll", "0.1")
    assert repaired.returncode == 1
    assert "is never made anew" in repaired.stderr
    assert "--deployment-mode REVERT_DRIFT" in repaired.stderr
    for account, (before,) in stacks.items():
        (after,) = box.client("cloudformation", account).describe_stacks(
            StackName=before["StackName"]
        )["Stacks"]
        assert (after["StackId"], after["StackStatus"]) == (
            before["StackId"],
            before["StackStatus"],
        )

    seen = operator.read_inputs().observed
    assert seen.central is not None
    assert seen.management_stack is not None
    assert (seen.central.drift, seen.management_stack.drift) == ("DRIFTED", "DRIFTED")

    # One ring alone was asked for: nothing of it has drifted.
    assert terminal.run("drift", "--ring", "canary", "--poll", "0.1").returncode == 0
    box.client("events", box.security).enable_rule(**sweep)
    box.client("lambda", box.management).update_function_configuration(
        FunctionName="iam-org-revoker", Timeout=120
    )
    assert terminal.run("drift", "--poll", "0.1").returncode == 0


def test_a_look_that_another_one_has_made_old_is_made_again(box: Box, terminal: Terminal) -> None:
    box.client("events", box.members[0]).disable_rule(Name="iam-org-revoker-calls")
    call = ("cloudformation", "ListStackInstanceResourceDrifts")
    box.fail_next(*call, times=1, code="OperationNotFoundException")
    found = terminal.run("drift", "--json", "--poll", "0.1")
    assert found.returncode == 1
    assert found.stderr.count("1/4 Compare the stacks of iam-org-revoker-canary") == 2
    assert [one["resource"] for one in json.loads(found.stdout)["drifted"]] == ["CallsRule"]

    box.fail_next(*call, times=3, code="OperationNotFoundException")
    given_up = terminal.run("drift", "--json", "--poll", "0.1")
    assert (given_up.returncode, given_up.stdout) == (1, "")
    assert given_up.stderr.endswith(
        "Somebody else looks for drift in the same StackSets again and again, and AWS tells of the "
        "latest look alone: run drift again in some minutes.\n"
    )
