"""Taking the product back: nothing of it is left, and whoever is kept is never free meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from handler.model.names import INCIDENT_TABLE, KEPT_POLICY, kept_arn
from handler.notifier.messages.notice import unpack_notice
from sandbox.box import Box
from sandbox.core.keys import Key
from sandbox.demo.product_setup import is_denied
from stacksets.cli.remove import suspects
from stacksets.containments.repair import repair_steps
from stacksets.execute.dry_run import dry_run
from stacksets.observe.containments import look_into
from stacksets.planners.removal import Choice, Removing, removal
from stacksets.steps.model import Plan, StepKind
from tests.end_to_end.test_deny_methods import role_at_its_quota
from tests.rollout.operator import Interrupted, Operator
from tests.rollout.removal.remains import remains

pytestmark = pytest.mark.deep


@pytest.fixture
def enforcing(operator: Operator) -> Operator:
    """Rolled out in enforce mode everywhere."""
    since = operator.today - timedelta(days=60)
    rule = f'mode = "enforce"\nobserved_since = {since}\n'
    text = operator.file.replace("[[ring]]\n", f"[[ring]]\n{rule}")
    operator.file = text.replace(
        "[[ring]]", '[parameters]\nMissingGroup = "treat-as-empty"\n[[ring]]', 1
    )
    operator.apply()
    return operator


def contain(box: Box, account: str) -> Key:
    """mallory, who has just lost IAM, with the user that she made."""
    key = box.new_user(account, "mallory", "iam:*")
    box.client("iam", account, key=key).create_user(UserName="accomplice")
    box.settle()
    assert is_denied(box.client("iam", account, key=key).list_users)
    return key


def planned(operator: Operator, choice: Choice | None) -> Plan:
    return removal(removing(operator, choice))


def removing(operator: Operator, choice: Choice | None) -> Removing:
    empty = Removing(given=operator.read_inputs(), held={}, choice=choice)
    clients = operator.clients()
    return replace(empty, held=look_into(clients, suspects(empty, clients, everywhere=False)))


def remove(
    operator: Operator, choice: Choice, *, after_call: Callable[[], None] = lambda: None
) -> None:
    made = planned(operator, choice)
    assert made.refusals == ()
    assert list(dry_run(made.steps)) == []
    operator.walker(operator.clients(after_call)).walk(made.own)


def left(box: Box) -> list[str]:
    return [
        f"{account}: {one}"
        for account in (box.management, box.security, *box.members)
        for one in remains(box, account)
    ]


def test_nothing_of_a_rollout_is_left_in_any_account(operator: Operator) -> None:
    operator.apply()
    assert len(left(operator.box)) > 50
    made = planned(operator, None)
    assert [(step.kind, step.ring) for step in made.steps] == [
        (StepKind.MANAGEMENT, ""),
        (StepKind.RING, "everyone"),
        (StepKind.RING, "everyone"),
        (StepKind.RING, "canary"),
        (StepKind.RING, "canary"),
        (StepKind.GUARDRAIL, ""),
        (StepKind.GUARDRAIL, ""),
        (StepKind.GUARDRAIL, ""),
        (StepKind.CENTRAL, ""),
        (StepKind.BUCKET, ""),
        (StepKind.BUCKET, ""),
    ]
    operator.walker(operator.clients()).walk(made.own)
    assert left(operator.box) == []
    assert planned(operator, None).empty


def test_somebody_who_is_contained_has_to_be_decided_on(enforcing: Operator) -> None:
    box = enforcing.box
    contain(box, box.members[0])
    made = planned(enforcing, None)
    (refusal,) = made.refusals
    assert refusal == (
        "2 principals are contained: say what becomes of them, with --release-all or "
        "--keep-contained."
    )


def test_who_is_kept_is_denied_after_every_call_and_everything_else_goes(
    enforcing: Operator,
) -> None:
    box = enforcing.box
    account = box.members[0]
    mallory = box.client("iam", account, key=contain(box, account))
    looked = 0

    def still_denied() -> None:
        nonlocal looked
        looked += 1
        assert is_denied(mallory.list_users)

    remove(enforcing, Choice.KEEP, after_call=still_denied)

    assert looked > 15
    kept = kept_arn(partition="aws", account=account, kind="policy", name=KEPT_POLICY)
    assert left(box) == [f"{account}: {kept}"]
    bearing = box.client("iam", account).list_entities_for_policy(PolicyArn=kept)
    assert sorted(one["UserName"] for one in bearing["PolicyUsers"]) == ["accomplice", "mallory"]


def test_who_is_released_may_use_iam_again_and_nothing_is_left(enforcing: Operator) -> None:
    box = enforcing.box
    account = box.members[0]
    mallory = box.client("iam", account, key=contain(box, account))
    remove(enforcing, Choice.RELEASE)
    assert left(box) == []
    assert not is_denied(mallory.list_users)


def test_a_removal_that_is_interrupted_after_each_of_its_calls_ends_with_nothing(
    enforcing: Operator,
) -> None:
    box = enforcing.box
    account = box.members[0]
    mallory = box.client("iam", account, key=contain(box, account))

    def stop() -> None:
        assert is_denied(mallory.list_users)
        raise Interrupted

    for _ in range(80):
        box.settle(ignore_hidden=True)
        if not planned(enforcing, Choice.KEEP).steps:
            break
        try:
            remove(enforcing, Choice.KEEP, after_call=stop)
        except Interrupted:
            continue
    kept = kept_arn(partition="aws", account=account, kind="policy", name=KEPT_POLICY)
    assert left(box) == [f"{account}: {kept}"]


def test_a_role_that_was_kept_by_its_boundary_is_held_by_ours_and_ends_as_it_was(
    enforcing: Operator,
) -> None:
    """At its quota of policies a role has room for a deny as its boundary alone."""
    box = enforcing.box
    account = box.members[0]
    iam = box.client("iam", account)
    key = role_at_its_quota(box, account)
    before = attached(iam, "deploy")
    box.client("iam", account, key=key).create_user(UserName="accomplice")
    box.settle()
    session = box.client("iam", account, key=key)
    assert boundary(iam, "deploy").endswith("/iam-org-revoker-deny")

    def still_denied() -> None:
        assert is_denied(session.list_users)

    remove(enforcing, Choice.KEEP, after_call=still_denied)
    kept = kept_arn(partition="aws", account=account, kind="policy", name=KEPT_POLICY)
    assert boundary(iam, "deploy") == kept
    enforcing.apply()
    still_denied()
    box.client("lambda", account).invoke(
        FunctionName="iam-org-revoker", Payload='{"reconcile": true}'
    )
    still_denied()
    box.settle()
    still_denied()
    deny = f"arn:aws:iam::{account}:policy/iam-org-revoker/iam-org-revoker-deny"
    assert boundary(iam, "deploy") == deny

    # What is left of the keeping goes, and our own boundary stays.
    given = enforcing.read_inputs()
    (ring,) = [ring for ring in given.wanted.rings if account in given.ring_accounts(ring)]
    held = look_into(enforcing.clients(), [account]).values()
    steps = list(repair_steps(given, ring, held, []))
    enforcing.walker(enforcing.clients(still_denied)).walk(steps)
    assert not [one for one in left(box) if "-kept" in one]
    assert boundary(iam, "deploy") == deny

    # The report's undo, which an administrator types: nothing but what was there before.
    iam.delete_role_permissions_boundary(RoleName="deploy")
    box.settle(ignore_hidden=True)
    assert (boundary(iam, "deploy"), attached(iam, "deploy")) == ("", before)


def boundary(iam: Any, role: str) -> str:
    found = iam.get_role(RoleName=role)["Role"].get("PermissionsBoundary", {})
    return str(found.get("PermissionsBoundaryArn", ""))


def attached(iam: Any, role: str) -> set[str]:
    found = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return {policy["PolicyArn"] for policy in found}


def test_a_later_installation_takes_over_who_was_kept(enforcing: Operator) -> None:
    box = enforcing.box
    account = box.members[0]
    contain(box, account)
    remove(enforcing, Choice.KEEP)
    enforcing.apply()
    box.client("lambda", account).invoke(
        FunctionName="iam-org-revoker", Payload='{"reconcile": true}'
    )
    box.settle()
    (held,) = look_into(enforcing.clients(), [account]).values()
    assert {one.name: sorted(method.value for method in one.methods) for one in held.contained} == {
        "mallory": ["managed-policy"],
        "accomplice": ["managed-policy"],
    }
    # The security team hears of each, once.
    box.client("lambda", account).invoke(
        FunctionName="iam-org-revoker", Payload='{"reconcile": true}'
    )
    box.settle()
    assert reported_of(box, account) == {"mallory": 1, "accomplice": 1}


def reported_of(box: Box, account: str) -> dict[str, int]:
    """How many reports of a kept deny the central account has, by principal."""
    items = box.client("dynamodb", box.security).scan(TableName=INCIDENT_TABLE)["Items"]
    prefix = f"incident#{account}#still-contained#"
    found = [item for item in items if item["pk"]["S"].startswith(prefix)]
    names = [unpack_notice(item["first_facts"]["S"]).facts["principal_name"] for item in found]
    return dict(zip(names, (int(item["calls"]["N"]) for item in found), strict=True))
