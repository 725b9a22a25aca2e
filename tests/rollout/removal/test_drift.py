"""Drift is found, named by resource, and mended by a new stack; who is contained stays so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.box import Box
from sandbox.demo.product_setup import is_denied
from stacksets.containments.repair import Drift
from stacksets.drift.rings import detection_steps, drifted, repairing, resources, to_look_into
from stacksets.execute.dry_run import dry_run
from stacksets.observe.containments import look_into
from stacksets.steps.inputs import Given
from stacksets.steps.model import Plan
from tests.rollout.operator import Interrupted, Operator
from tests.rollout.removal.remains import remains
from tests.rollout.removal.test_remove import contain, enforcing
from tests.sandbox.parts import document

pytestmark = pytest.mark.deep
__all__ = ["enforcing"]


def detect(operator: Operator) -> Given:
    given = operator.read_inputs()
    operator.walker(operator.clients()).walk(detection_steps(given, given.wanted.rings))
    return operator.read_inputs()


def repaired(operator: Operator, given: Given) -> Plan:
    clients, rings = operator.clients(), given.wanted.rings
    return repairing(given, rings, look_into(clients, to_look_into(given, rings, clients)))


def spoil(box: Box, account: str) -> None:
    """What an intruder with the right to do it would: the deny allows, the rule is asleep."""
    box.client("iam", account).create_policy_version(
        PolicyArn=f"arn:aws:iam::{account}:policy/iam-org-revoker/iam-org-revoker-deny",
        PolicyDocument=document({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}),
        SetAsDefault=True,
    )
    box.client("events", account).disable_rule(Name="iam-org-revoker-calls")


def found(operator: Operator, given: Given) -> list[Drift]:
    client = operator.box.client("cloudformation", operator.box.management)
    return [
        one
        for ring in given.wanted.rings
        for account in drifted(given, ring)
        for one in resources(client, given, ring, account)
    ]


def test_nothing_has_drifted_right_after_a_rollout(operator: Operator) -> None:
    operator.apply()
    given = detect(operator)
    assert found(operator, given) == []
    assert repaired(operator, given).empty


def test_what_was_changed_is_named_by_resource_and_mended_with_its_containments_kept(
    enforcing: Operator,
) -> None:
    box = enforcing.box
    account = box.members[0]
    mallory = box.client("iam", account, key=contain(box, account))
    spoil(box, account)

    given = detect(enforcing)

    assert [
        (one.account, one.ring, one.resource, one.status) for one in found(enforcing, given)
    ] == [
        (account, "everyone", "CallsRule", "MODIFIED"),
        (account, "everyone", "DenyPolicy", "MODIFIED"),
    ]
    # The rollout itself sees nothing to do: the template is the same.
    assert enforcing.plan().steps == ()
    assert repaired(enforcing, given).refusals == (
        (
            f"Somebody is contained in {account}, whose stack has to go, and under the "
            "guardrail only the break-glass role takes a deny off: name it in --access-role."
        ),
    )
    with_break_glass(enforcing)
    made = repaired(enforcing, given := enforcing.read_inputs())
    assert made.refusals == ()
    assert list(dry_run(made.steps)) == []
    assert [call.operation for call in made.calls()] == [
        "PutFunctionConcurrency",
        "CreatePolicy",
        "AttachUserPolicy",
        "AttachUserPolicy",
        "DetachUserPolicy",
        "DetachUserPolicy",
        "DeleteStackInstances",
        "CreateStackInstances",
        "Invoke",
        "DetachUserPolicy",
        "DetachUserPolicy",
        "DeletePolicy",
    ]
    denied_from_here_on: list[bool] = []

    def watch() -> None:
        # The deny was rewritten, so nobody is denied before the kept one is on.
        if is_denied(mallory.list_users):
            denied_from_here_on.append(True)
        else:
            assert not denied_from_here_on

    enforcing.walker(enforcing.clients(watch)).walk(made.own)
    box.settle()

    assert denied_from_here_on
    assert is_denied(mallory.list_users)
    given = detect(enforcing)
    assert found(enforcing, given) == []
    assert repaired(enforcing, given).empty
    assert not [one for one in remains(box, account) if "-kept" in one]
    (held,) = look_into(enforcing.clients(), [account]).values()
    assert sorted(one.name for one in held.contained) == ["accomplice", "mallory"]
    assert enforcing.plan().empty


def test_a_repair_that_is_interrupted_after_each_of_its_calls_ends_mended(
    enforcing: Operator,
) -> None:
    box = enforcing.box
    account = box.members[0]
    mallory = box.client("iam", account, key=contain(box, account))
    box.client("events", account).disable_rule(Name="iam-org-revoker-calls")

    with_break_glass(enforcing)

    def stop() -> None:
        assert is_denied(mallory.list_users)
        raise Interrupted

    until_repaired(enforcing, stop)
    assert is_denied(mallory.list_users)
    assert not [one for one in remains(box, account) if "-kept" in one]
    assert enforcing.plan().empty


def with_break_glass(operator: Operator) -> None:
    """From now on the operator works by the one role that the guardrail lets take a deny off."""
    role = '[access]\nrole = "iam-administrators/break-glass"\n'
    operator.file = operator.file.replace("[central]\n", f"{role}[central]\n", 1)


def until_repaired(operator: Operator, stop: Callable[[], None]) -> None:
    """Run it again, and apply after it, until neither has anything to do."""
    for _ in range(40):
        given = detect(operator)
        if given.observed.stack_sets and not operator.plan().empty:
            operator.apply()
            continue
        made = repaired(operator, given)
        assert made.refusals == ()
        if made.empty:
            return
        try:
            operator.walker(operator.clients(stop)).walk(made.own)
        except Interrupted:
            continue
    raise AssertionError("it does not come to an end")
