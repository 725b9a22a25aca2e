"""A rollout comes to rest whatever AWS lists as targets, and whether or not it takes empty ones."""

from __future__ import annotations

import pytest

from sandbox.box import Box
from sandbox.core.unknowns import LIKELY, UNLIKELY
from stacksets.planners.removal import Choice
from tests.rollout.operator import Operator, stacks
from tests.rollout.removal.remains import remains
from tests.rollout.removal.test_remove import remove

pytestmark = pytest.mark.deep


@pytest.fixture(params=[LIKELY, UNLIKELY], ids=["likely", "unlikely"], autouse=True)
def answers(request: pytest.FixtureRequest, box: Box) -> None:
    """How AWS answers where no page says it."""
    box.state.unknowns = request.param


def exclude(operator: Operator, account: str) -> None:
    operator.file += f'[[excluded]]\naccount = "{account}"\nreason = "by choice"\n'


def make_unit(operator: Operator, name: str) -> str:
    units = operator.box.client("organizations", operator.box.management)
    made = units.create_organizational_unit(ParentId=operator.box.layout.root, Name=name)
    return str(made["OrganizationalUnit"]["Id"])


def test_with_an_account_excluded_the_second_plan_is_empty(operator: Operator) -> None:
    box = operator.box
    excluded, *others = operator.accounts_in("Workloads")
    exclude(operator, excluded)
    operator.apply()
    assert operator.plan().empty
    assert not [name for name in stacks(box, excluded) if "StackSet-" in name]
    assert all(any("StackSet-" in name for name in stacks(box, one)) for one in others)
    # And everything is found again when it is taken back.
    remove(operator, Choice.RELEASE)
    assert [remains(box, one) for one in others] == [[]] * len(others)


def test_with_a_whole_unit_excluded_the_second_plan_is_empty(operator: Operator) -> None:
    for account in operator.accounts_in("Workloads"):
        exclude(operator, account)
    operator.apply()
    assert operator.plan().empty


def test_a_unit_without_accounts_stops_no_rollout_and_who_joins_it_is_covered(
    operator: Operator,
) -> None:
    box, unit = operator.box, make_unit(operator, "New")
    operator.file = operator.file.replace(
        '[[ring]]\nname = "everyone"',
        '[[ring]]\nname = "new"\nunits = ["New"]\n[[ring]]\nname = "everyone"',
    )
    operator.apply()
    made = operator.plan()
    assert made.empty
    assert [note for note in made.notes if note.startswith("new: New: no account to install in")]
    account = box.new_account("joined", parent=unit)
    operator.rest()
    operator.apply()
    assert [name for name in stacks(box, account) if "iam-org-revoker-new" in name]
    assert operator.plan().empty
