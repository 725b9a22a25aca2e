"""Reconciliation: the baseline, the ledger against the group, health and the heartbeat."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from handler.model.names import SESSION_DENY_POLICY, iam_arn
from handler.revoker.respond.dispatch import deliver
from tests.doubles.account import NOON, a_user, event
from tests.doubles.iam import ACCOUNT, DENY_ARN
from tests.doubles.rounds import Rounds
from tests.doubles.table import POLICY

SESSION_DENY = iam_arn(partition="aws", account=ACCOUNT, kind="policy", name=SESSION_DENY_POLICY)


# ---- (a) the baseline


def test_the_first_reconciliation_takes_the_baseline() -> None:
    world = Rounds()
    world.reconcile()
    assert world.item("baseline")["taken"] == NOON + 10
    assert '"standing"' in world.item("baseline")["members"]


def test_a_later_reconciliation_leaves_the_baseline_as_it_is() -> None:
    world = Rounds()
    world.reconcile()
    world.iam.add_user("mallory", groups=("Administrators",))
    world.later(900).reconcile()
    assert "mallory" not in world.item("baseline")["members"]


# ---- (d) the ledger against the group


def test_differences_between_ledger_and_group_are_sentences_and_change_nothing() -> None:
    world = Rounds()
    alice = world.iam.add_user("alice", groups=("Administrators",))
    world.installed()
    bob = world.iam.add_user("bob", groups=("Administrators",))
    world.iam.groups["Administrators"].members.discard("alice")
    assert world.reconcile().ledger_differences == (
        f"'alice' ({alice}) was removed from 'Administrators' without a recorded event.",
        f"'bob' ({bob}) was added to 'Administrators' without a recorded event.",
    )
    assert world.iam.groups["Administrators"].members == {"standing", "bob"}


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_group_lost_since_the_baseline_is_critical(how: str) -> None:
    says = "does not exist" if how == "gone" else "is empty"
    world = Rounds()
    world.installed()
    if how == "gone":
        del world.iam.groups["Administrators"]
    else:
        world.iam.groups["Administrators"].members.clear()
    assert world.reconcile().ledger_differences == (
        f"CRITICAL: the group 'Administrators' had members at the baseline and {says}.",
    )


# ---- (f) health and (h) the heartbeat


def test_a_healthy_account_says_so() -> None:
    world = Rounds()
    world.installed()
    deliver(event(a_user("mallory", world.iam.add_user("mallory"))), world.tools())
    beat = world.later(300).reconcile()
    assert world.heartbeats() == [beat]
    assert (beat.account, beat.alias, beat.mode) == (ACCOUNT, "example-alias", "enforce")
    assert (beat.at, beat.last_event_at) == (NOON + 310, NOON + 10)
    assert (beat.rule, beat.tamper_rule, beat.trail) == ("ENABLED", "ENABLED", "logging")
    assert (beat.dead_letters, beat.contained, beat.ledger_differences) == (0, 1, ())


def test_disabled_and_missing_rules_are_told() -> None:
    world = Rounds()
    world.rules.states = {
        "iam-org-revoker-tamper": "ENABLED",
        "iam-org-revoker-tamper-stores": "DISABLED",
    }
    beat = world.reconcile()
    assert (beat.rule, beat.tamper_rule) == ("missing", "DISABLED")


@pytest.mark.parametrize(
    ("trails", "shape", "expected"),
    [
        ({}, {}, "none"),
        ({"arn:trail": False}, {}, "stopped"),
        ({"arn:one": False, "arn:two": True}, {}, "logging"),
        ({"arn:trail": True}, {"IncludeGlobalServiceEvents": False}, "none"),
        ({"arn:trail": True}, {"IsMultiRegionTrail": False, "HomeRegion": "eu-west-1"}, "none"),
        ({"arn:trail": True}, {"IsMultiRegionTrail": False, "HomeRegion": "us-east-1"}, "logging"),
    ],
)
def test_the_trails_that_bring_iams_calls(
    trails: dict[str, bool], shape: dict[str, Any], expected: str
) -> None:
    world = Rounds()
    world.trails.trails = trails
    world.trails.shape |= shape
    assert world.reconcile().trail == expected


def without(change: str) -> Any:
    """The policy of the table after somebody changed it."""
    policy: dict[str, Any] = deepcopy(POLICY)
    [statement] = policy["Statement"]
    match change:
        case "allows":
            statement["Effect"] = "Allow"
        case "spares somebody":
            role = statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
            statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"] = [role, f"{role}-2"]
        case "lets items be deleted":
            statement["Action"].remove("dynamodb:DeleteItem")
        case "binds one account":
            statement["Principal"] = {"AWS": ACCOUNT}
        case "one statement, in lists":
            role = statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
            statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"] = [role]
            statement["Principal"] = {"AWS": "*"}
            policy["Statement"] = statement
    return policy


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (POLICY, "denies"),
        (without("one statement, in lists"), "denies"),
        (None, "missing"),
        ({}, "changed"),
        (without("allows"), "changed"),
        (without("spares somebody"), "changed"),
        (without("lets items be deleted"), "changed"),
        (without("binds one account"), "changed"),
    ],
)
def test_whether_the_policy_of_the_table_still_keeps_others_out(policy: Any, expected: str) -> None:
    world = Rounds()
    world.dynamo.policy = policy
    assert world.reconcile().table_policy == expected


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_a_policy_of_the_table_that_is_not_shown_is_unknown(code: str) -> None:
    world = Rounds()
    world.dynamo.fail["get_resource_policy"] = [code]
    assert world.reconcile().table_policy == "unknown"


def test_trails_that_we_may_not_see_are_unknown() -> None:
    world = Rounds()
    world.trails.hidden = True
    assert world.reconcile().trail == "unknown"


def test_the_last_event_is_written_once_an_hour() -> None:
    world = Rounds()
    world.installed()
    service = {"type": "AWSService", "invokedBy": "eks.amazonaws.com"}
    for seconds in (0, 10, 20):
        deliver(event(service), world.later(seconds).tools())
    assert world.dynamo.writes == 1
    deliver(event(service), world.later(3_600).tools())
    assert world.dynamo.writes == 2


def test_a_quiet_reconciliation_reads_no_event_history_and_writes_nothing_to_iam() -> None:
    world = Rounds()
    world.installed()
    world.reconcile()
    world.iam.calls.clear()
    world.later(900).reconcile()
    assert world.trail.looked == 0
    # Twice get_policy: is there a deny that an earlier installation left?
    assert set(world.iam.calls) <= {"get_group", "get_policy", "list_account_aliases"}


def test_the_deny_of_somebody_never_contained_is_not_ours_to_look_after() -> None:
    world = Rounds()
    world.installed()
    world.iam.add_user("denied-by-hand")
    world.iam.users["denied-by-hand"].attached.add(DENY_ARN)
    assert world.reconcile().contained == 0
