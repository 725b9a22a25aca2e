"""A stack that could not be deleted: apply says so, fails, and what it says to do mends it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.demo.product_setup import is_denied
from tests.rollout.operator import Operator, stacks
from tests.rollout.removal.test_drift import with_break_glass
from tests.rollout.removal.test_remove import contain, enforcing
from tests.rollout.test_command_line import Terminal
from tests.rollout.test_moves import held

pytestmark = pytest.mark.deep
__all__ = ["enforcing"]

EVERYONE = "iam-org-revoker-everyone"


def delete_by_hand(operator: Operator, account: str) -> None:
    """Somebody takes one stack out of the set, while something in it is in use."""
    given = operator.read_inputs()
    seen = given.observed.stack_sets[EVERYONE].instances[account]
    operator.box.client("cloudformation", operator.box.management).delete_stack_instances(
        StackSetName=EVERYONE,
        DeploymentTargets={
            "OrganizationalUnitIds": [seen.unit],
            "Accounts": [account],
            "AccountFilterType": "INTERSECTION",
        },
        Regions=[given.wanted.region],
        RetainStacks=False,
    )
    operator.rest()


def excluding(operator: Operator, account: str) -> str:
    return f'{operator.file}[[excluded]]\naccount = "{account}"\nreason = "broken"\n'


def test_apply_ends_badly_while_a_stack_takes_no_updates(
    operator: Operator, tmp_path: Path
) -> None:
    box = operator.box
    operator.apply()
    account = operator.accounts_in("Workloads")[0]
    box.state.stack_failures[account] = "DenyPolicy: Cannot delete a policy attached to entities."
    delete_by_hand(operator, account)
    box.state.stack_failures.clear()
    terminal = Terminal(box, tmp_path)
    profile = f'[access.profiles]\n{box.security} = "security"\n'
    terminal.file.write_text(operator.file + profile)

    reported = f"could not be deleted (INOPERABLE) and takes no updates: {account}."
    done = terminal.run("apply", "--yes")
    assert done.returncode == 1
    assert "Nothing to do" not in done.stdout
    assert f"not reached: {EVERYONE}: 1 stack" in done.stdout
    planned = terminal.run("plan", "--json")
    assert planned.returncode == 1
    assert json.loads(planned.stdout)["unreached"][0]["accounts"] == [account]
    assert reported in planned.stderr
    script = terminal.run("plan", "--as-cli")
    assert script.returncode == 1
    assert reported in script.stdout.splitlines()[-1]

    terminal.file.write_text(excluding(operator, account) + profile)
    assert terminal.run("apply", "--yes", "--poll", "0.1").returncode == 0
    assert list(stacks(box, account)) == []
    terminal.file.write_text(operator.file + profile)
    assert terminal.run("apply", "--yes", "--poll", "0.1").returncode == 0
    assert len(list(stacks(box, account))) == 1
    assert operator.plan().empty


def test_who_is_contained_there_stays_so_while_it_is_mended(enforcing: Operator) -> None:
    box = enforcing.box
    account = box.members[0]
    mallory = box.client("iam", account, key=contain(box, account))
    delete_by_hand(enforcing, account)
    (missed,) = enforcing.plan().unreached
    assert missed.accounts == (account,)
    with_break_glass(enforcing)
    file = enforcing.file

    def still_denied() -> None:
        assert is_denied(mallory.list_users)

    for text in (excluding(enforcing, account), file):
        enforcing.file = text
        made = enforcing.plan()
        assert (made.refusals, made.unreached) == ((), ())
        enforcing.walker(enforcing.clients(still_denied)).walk(made.own)
    box.client("lambda", account).invoke(
        FunctionName="iam-org-revoker", Payload='{"reconcile": true}'
    )
    box.settle()
    still_denied()
    assert enforcing.plan().empty
    assert held(enforcing, account) == {"mallory", "accomplice"}
