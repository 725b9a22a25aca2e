"""Each fault that was planted is named by the check or the rows that it breaks, and what it points
to; without one nothing differs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from handler.model.names import (
    BUS,
    CALLS_RULE,
    DENY_POLICY,
    INCIDENT_TOPIC,
    NOTIFIER,
    REVOKER,
    TAMPER_RULE,
    iam_arn,
)
from sandbox.box import Box
from sandbox.core.keys import REGION
from sandbox.core.unknowns import UNLIKELY
from stacksets.prove.proof import sentences
from tests.prove.proving import FEW, Prover, wrong

pytestmark = pytest.mark.deep

Fault = Callable[[Prover], AbstractContextManager[None]]


def test_nothing_differs_where_nothing_is_broken(prover: Prover) -> None:
    proof = prover.prove()
    assert wrong(proof) == {}
    assert [one.ok for one in proof.results] == [True] * len(FEW)


@contextmanager
def permission(prover: Prover, *, with_account: bool) -> Iterator[None]:
    """The rule's permission to invoke the function is gone, or asks for the rule's account."""
    function = prover.box.client("lambda", prover.account)
    policy = json.loads(function.get_policy(FunctionName=REVOKER)["Policy"])
    source = f"arn:aws:events:{REGION}:{prover.account}:rule/{CALLS_RULE}"
    (sid,) = [one["Sid"] for one in policy["Statement"] if source in json.dumps(one)]
    given = {
        "FunctionName": REVOKER,
        "StatementId": sid,
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
        "SourceArn": source,
    }
    function.remove_permission(FunctionName=REVOKER, StatementId=sid)
    if with_account:
        function.add_permission(**given, SourceAccount=prover.account)
    try:
        yield
    finally:
        if with_account:
            function.remove_permission(FunctionName=REVOKER, StatementId=sid)
        function.add_permission(**given)


def no_permission(prover: Prover) -> AbstractContextManager[None]:
    return permission(prover, with_account=False)


def permission_with_the_account(prover: Prover) -> AbstractContextManager[None]:
    return permission(prover, with_account=True)


@contextmanager
def rule_off(prover: Prover, name: str) -> Iterator[None]:
    events = prover.box.client("events", prover.account)
    events.disable_rule(Name=name)
    try:
        yield
    finally:
        events.enable_rule(Name=name)


def calls_rule_off(prover: Prover) -> AbstractContextManager[None]:
    return rule_off(prover, CALLS_RULE)


def tamper_rule_off(prover: Prover) -> AbstractContextManager[None]:
    return rule_off(prover, TAMPER_RULE)


@contextmanager
def bus_statement(prover: Prover, ending: str, change: Callable[[Any], Any]) -> Iterator[None]:
    """One statement of the central bus's policy changed, or gone where `change` answers None."""
    events = prover.box.client("events", prover.box.security)
    policy = json.loads(events.describe_event_bus(Name=BUS)["Policy"])
    kept = [one for one in policy["Statement"] if not one["Sid"].endswith(ending)]
    (found,) = [one for one in policy["Statement"] if one["Sid"].endswith(ending)]
    changed = change(json.loads(json.dumps(found)))
    put(events, policy, [*kept, *([changed] if changed else [])])
    try:
        yield
    finally:
        put(events, policy, [*kept, found])


def put(events: Any, policy: Any, statements: list[Any]) -> None:
    events.put_permission(EventBusName=BUS, Policy=json.dumps({**policy, "Statement": statements}))


def no_reports_admitted(prover: Prover) -> AbstractContextManager[None]:
    return bus_statement(prover, "AllowReports", lambda _: None)


def reports_of_another_source_admitted(prover: Prover) -> AbstractContextManager[None]:
    def other(one: Any) -> Any:
        return json.loads(json.dumps(one).replace('"iam-org-revoker"', '"another"'))

    return bus_statement(prover, "AllowReports", other)


@contextmanager
def forwards_refused(prover: Prover) -> Iterator[None]:
    """The bus asks a forwarded event for its source, and this AWS does not send it."""

    def demands(one: Any) -> Any:
        one["Condition"]["Null"] = {"events:source": "false"}
        return one

    state = prover.box.state
    before, state.unknowns = state.unknowns, UNLIKELY
    try:
        with bus_statement(prover, "AllowForwards", demands):
            yield
    finally:
        state.unknowns = before


@contextmanager
def key_refuses_cloudwatch(prover: Prover) -> Iterator[None]:
    """The key of the topics asks for what this AWS does not send."""
    kms = prover.box.client("kms", prover.box.security)
    (key,) = [one["KeyId"] for one in kms.list_keys()["Keys"]]
    policy = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    asking = json.loads(policy)
    for one in asking["Statement"]:
        if one["Principal"].get("Service") == "cloudwatch.amazonaws.com":
            one["Condition"] = {"StringEquals": {"aws:SourceAccount": prover.box.security}}
    state = prover.box.state
    before = state.unknowns
    state.unknowns = replace(before, alarms_send_source_account=False)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(asking))
    try:
        yield
    finally:
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
        state.unknowns = before


@contextmanager
def deny_rewritten(prover: Prover) -> Iterator[None]:
    iam = prover.box.client("iam", prover.account)
    arn = iam_arn(partition="aws", account=prover.account, kind="policy", name=DENY_POLICY)
    harmless = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    made = iam.create_policy_version(
        PolicyArn=arn,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [harmless]}),
        SetAsDefault=True,
    )["PolicyVersion"]["VersionId"]
    try:
        yield
    finally:
        iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
        iam.delete_policy_version(PolicyArn=arn, VersionId=made)


@contextmanager
def queue_not_read(prover: Prover) -> Iterator[None]:
    function = prover.box.client("lambda", prover.box.security)
    (mapping,) = function.list_event_source_mappings(FunctionName=NOTIFIER)["EventSourceMappings"]
    function.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        function.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


@contextmanager
def topic_refuses_the_notifier(prover: Prover) -> Iterator[None]:
    sns = prover.box.client("sns", prover.box.security)
    topic = f"arn:aws:sns:{REGION}:{prover.box.security}:{INCIDENT_TOPIC}"
    policy = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    shut = json.loads(policy)
    shut["Statement"].append(
        {
            "Sid": "Shut",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": topic,
        }
    )
    named = {"TopicArn": topic, "AttributeName": "Policy"}
    sns.set_topic_attributes(**named, AttributeValue=json.dumps(shut))
    try:
        yield
    finally:
        sns.set_topic_attributes(**named, AttributeValue=policy)


FAULTS: tuple[tuple[Fault, str, str, str], ...] = (
    (no_permission, "rules", "not contained", "no statement for the rule iam-org-revoker-calls"),
    (permission_with_the_account, "rules", "not contained", "asks for aws:SourceAccount"),
    (calls_rule_off, "rules", "not contained", "The rule iam-org-revoker-calls is DISABLED"),
    (tamper_rule_off, "rules", "", "The rule iam-org-revoker-tamper is DISABLED"),
    (no_reports_admitted, "bus", "not reported", "lacks IamOrgRevokerAllowReports"),
    (
        reports_of_another_source_admitted,
        "",
        "not reported",
        "the policy of the central bus refuses what the revoker puts",
    ),
    (forwards_refused, "tamper", "", "such events may carry no events:source"),
    (key_refuses_cloudwatch, "alarm", "", "cloudwatch.amazonaws.com use it"),
    (deny_rewritten, "deny", "not contained", "was rewritten"),
    (queue_not_read, "notifier", "not reported", "event source mapping"),
    (topic_refuses_the_notifier, "", "no mail", "no mail went out"),
)


@pytest.mark.parametrize(("fault", "check", "row", "points_to"), FAULTS)
def test_a_fault_is_named(
    prover: Prover, box: Box, fault: Fault, check: str, row: str, points_to: str
) -> None:
    with fault(prover):
        # Rows that end as expected take what they take, and only a probe waits to the end.
        proof = prover.prove(patience=10 if row else 15)
    box.settle(ignore_hidden=True)
    differs = wrong(proof)
    if check:
        assert check in differs
    if row:
        assert [row in differs.get(title, "") for title in FEW] == [True] * len(FEW)
    else:
        assert not set(FEW) & set(differs)
    assert any(points_to in said for said in sentences(proof)), list(sentences(proof))
