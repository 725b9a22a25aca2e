"""Accounts that change their ring, leave or are closed, while somebody in them is contained."""

from __future__ import annotations

import pytest
from botocore import xform_name

from sandbox.box import Box
from sandbox.demo.product_setup import is_denied
from stacksets.observe.containments import look_into
from stacksets.planners.removal import Choice
from tests.rollout.operator import Interrupted, Operator, stacks
from tests.rollout.removal.remains import remains
from tests.rollout.removal.test_drift import with_break_glass
from tests.rollout.removal.test_remove import contain, enforcing, planned, remove

pytestmark = pytest.mark.deep

__all__ = ["enforcing"]


def unit_of(box: Box, account: str) -> str:
    parents = box.client("organizations", box.management).list_parents(ChildId=account)
    return str(parents["Parents"][0]["Id"])


def moved(operator: Operator) -> str:
    """A unit of its own in the second ring goes over to the first; its account."""
    box = operator.box
    units = box.client("organizations", box.management)
    made = units.create_organizational_unit(ParentId=box.layout.root, Name="Moving")
    account = box.new_account("moving", parent=made["OrganizationalUnit"]["Id"])
    operator.file = operator.file.replace('["Workloads"]', '["Workloads", "Moving"]')
    operator.apply()
    contain(box, account)
    assert held(operator, account) == {"mallory", "accomplice"}
    operator.file = operator.file.replace('["Workloads", "Moving"]', '["Workloads"]')
    operator.file = operator.file.replace('["Sandbox"]', '["Sandbox", "Moving"]')
    return account


def held(operator: Operator, account: str) -> set[str]:
    (holding,) = look_into(operator.clients(), [account]).values()
    return {one.name for one in holding.contained}


def test_a_unit_moves_between_rings_and_who_is_contained_there_stays_so(
    enforcing: Operator,
) -> None:
    box, account = enforcing.box, moved(enforcing)
    with_break_glass(enforcing)
    mallory = box.client("iam", account, key=box.new_user(account, "eve", "iam:*"))
    mallory.create_user(UserName="another")
    box.settle()

    def still_denied() -> None:
        assert is_denied(mallory.list_users)

    made = enforcing.plan()
    assert made.refusals == ()
    enforcing.walker(enforcing.clients(still_denied)).walk(made.own)
    box.settle()
    assert held(enforcing, account) == {"mallory", "accomplice", "eve", "another"}
    assert not [one for one in remains(box, account) if "-kept" in one]
    assert [name for name in stacks(box, account) if "-canary-" in name]
    assert enforcing.plan().empty


def test_a_move_that_the_guardrail_would_stop_half_way_is_refused_before_it_begins(
    enforcing: Operator,
) -> None:
    account = moved(enforcing)
    (refusal,) = enforcing.plan().refusals
    assert refusal == (
        f"Somebody is contained in {account}, whose stack has to go, and under the guardrail "
        "only the break-glass role takes a deny off: name it in --access-role."
    )


def test_moves_that_are_interrupted_after_each_of_their_calls_end_covered(
    enforcing: Operator,
) -> None:
    """One by the file and one by AWS, whose sets follow and both fail: the old stack on its deny,
    the new one on its names. `apply` alone ends both."""
    box, by_file = enforcing.box, moved(enforcing)
    by_aws = next(one for one in enforcing.accounts_in("Sandbox") if one != by_file)
    mallory = box.client("iam", by_aws, key=contain(box, by_aws))
    box.client("organizations", box.management).move_account(
        AccountId=by_aws,
        SourceParentId=box.layout.sandbox,
        DestinationParentId=box.layout.workloads,
    )
    enforcing.rest()
    with_break_glass(enforcing)
    calls = {call.operation for call in enforcing.plan().calls()}
    assert {"DetachUserPolicy", "DeleteStackInstances", "Invoke", "DeletePolicy"} <= calls
    enforcing.made.clear()

    def still_denied() -> None:
        assert is_denied(mallory.list_users)

    enforcing.apply_interrupted_after_each_call(still_denied)
    box.settle(ignore_hidden=True)
    assert {xform_name(one) for one in calls} <= set(enforcing.made)
    for account, ring in ((by_file, "canary"), (by_aws, "everyone")):
        assert held(enforcing, account) == {"mallory", "accomplice"}
        assert not [one for one in remains(box, account) if "-kept" in one]
        (stack,) = [name for name in stacks(box, account) if "StackSet-" in name]
        assert f"-{ring}-" in stack


def test_who_is_contained_in_an_account_that_leaves_stays_denied(enforcing: Operator) -> None:
    """Its stack cannot go while its deny is in use, and says so for as long as it is listed."""
    box = enforcing.box
    account = box.members[0]
    mallory = box.client("iam", account, key=contain(box, account))
    box.client("organizations", box.management).remove_account_from_organization(AccountId=account)
    try:
        enforcing.apply()
    except Interrupted:
        pytest.fail("nothing interrupts here")
    box.settle(ignore_hidden=True)
    assert is_denied(mallory.list_users)
    planned_now = enforcing.plan()
    assert any(account in note for note in planned_now.notes), planned_now.notes
    # Taken back, the set lets go of it, and what the deny waits for stays in that account.
    remove(enforcing, Choice.KEEP)
    assert planned(enforcing, None).empty
    assert is_denied(mallory.list_users)


def test_a_closed_account_is_forgotten_by_a_removal(operator: Operator) -> None:
    box = operator.box
    operator.apply()
    box.client("organizations", box.management).close_account(AccountId=box.members[0])
    remove(operator, Choice.KEEP)
    assert planned(operator, None).empty
