"""On what AWS asks for a permission: each target and type of a set, `*` where it knows nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from tests.sandbox.cloudformation.rings import REGION, Ring, fill, make_set, ring
from tests.sandbox.cloudformation.templates import NAMED, ended, queue_named
from tests.sandbox.parts import allow

__all__ = ["ring"]

SET = "arn:aws:cloudformation:*:*:stackset/*"
TARGET = "arn:aws:cloudformation:*:*:stackset-target/{name}:*/{ou}"
TYPE = "arn:aws:cloudformation:*:*:type/resource/AWS-SQS-Queue"
NUMBERS = count()
CALLS = {
    "CreateStackInstances": {"Regions": [REGION]},
    "UpdateStackInstances": {"Regions": [REGION]},
    "UpdateStackSet": {"UsePreviousTemplate": True, "Capabilities": NAMED},
    "DeleteStackInstances": {"Regions": [REGION], "RetainStacks": False},
}


def holder(box: Box, account: str, service: str, *statements: dict[str, Any]) -> Any:
    """A client of a role that has those statements and nothing else."""
    policy = {"Version": "2012-10-17", "Statement": [*statements]}
    key = box.new_session(account, f"holder-{next(NUMBERS)}", policy)
    return box.client(service, account, key=key)


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    assert error["Code"] in ("AccessDenied", "AccessDeniedException", "AuthorizationError")
    return str(error["Message"])


@pytest.mark.parametrize("action", CALLS)
def test_a_set_is_changed_by_who_may_touch_its_targets_and_its_types_too(
    box: Box, ring: Ring, action: str
) -> None:
    make_set(box, ring, queue_named("rights"))
    if action != "CreateStackInstances":
        fill(box, ring)
    targets = {"DeploymentTargets": {"OrganizationalUnitIds": [ring.ou]}}
    asked = {"StackSetName": ring.name, **targets, **CALLS[action]}
    call = "".join(f"_{c.lower()}" if c.isupper() else c for c in action)[1:]
    target = TARGET.format(name=ring.name, ou=ring.ou)

    def client(*resources: str) -> Any:
        statements = [allow(f"cloudformation:{action}", one) for one in resources]
        return holder(box, box.management, "cloudformation", *statements)

    def said(*resources: str) -> str:
        return refusal(lambda: getattr(client(*resources), call)(**asked))

    assert f"cloudformation:{action} because no identity" in said(target, TYPE)
    owner = f"arn:aws:cloudformation::{box.management}:stackset-target/{ring.name}:"
    assert f"cloudformation:{action} on resource: {owner}" in said(SET, TYPE)
    another = TYPE.replace("SQS-Queue", "SNS-Topic")
    where = f"arn:aws:cloudformation:{REGION}::type/resource/AWS-SQS-Queue"
    for lacking in (said(SET, target), said(SET, target, another)):
        assert f"cloudformation:{action} on resource: {where} because no identity" in lacking
    operation = getattr(client(SET, target, TYPE), call)(**asked)["OperationId"]
    assert ended(box, ring.name, operation)["Status"] == "SUCCEEDED"


def test_a_new_template_is_judged_by_its_own_types_and_an_account_by_its_own_name(
    box: Box, ring: Ring
) -> None:
    make_set(box, ring, queue_named("before"))
    fill(box, ring)
    resources = (SET, TARGET.format(name=ring.name, ou="*"), TYPE)
    operator = holder(
        *(box, box.management, "cloudformation"),
        *(allow("cloudformation:UpdateStackSet", one) for one in resources),
        allow("cloudformation:UpdateStackInstances", SET),
        allow("cloudformation:UpdateStackInstances", TARGET.format(name=ring.name, ou=ring.ou)),
        allow("cloudformation:UpdateStackInstances", TYPE),
    )
    topic = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    change = {"StackSetName": ring.name, "TemplateBody": topic}
    assert "type/resource/AWS-SNS-Topic" in refusal(lambda: operator.update_stack_set(**change))
    account = ring.accounts[0]
    wanted = {
        "StackSetName": ring.name,
        "Regions": [REGION],
        "DeploymentTargets": {
            "OrganizationalUnitIds": [ring.ou],
            "AccountFilterType": "INTERSECTION",
            "Accounts": [account],
        },
    }
    said = refusal(lambda: operator.update_stack_instances(**wanted))
    assert f"/{account} because" in said


def test_an_action_that_knows_no_resource_is_allowed_on_everything_alone(
    box: Box, account: str
) -> None:
    sns, events = box.client("sns", account), box.client("events", account)
    topic = sns.create_topic(Name="told")["TopicArn"]
    address = {"Protocol": "email", "Endpoint": "security@example.com"}
    subscription = sns.subscribe(TopicArn=topic, **address, ReturnSubscriptionArn=True)
    arn = subscription["SubscriptionArn"]
    bus = events.create_event_bus(Name="heard")["EventBusArn"]
    grant = {"Action": "events:PutEvents", "Principal": "111122223333", "StatementId": "one"}
    of_sns = ["sns:GetTopicAttributes", "sns:GetSubscriptionAttributes", "sns:Unsubscribe"]

    def clients(of_topic: str, on_bus: str) -> tuple[Any, Any]:
        statements = (allow(of_sns, of_topic), allow("events:PutPermission", on_bus))
        return tuple(holder(box, account, one, *statements) for one in ("sns", "events"))

    narrow, narrow_bus = clients(f"{topic}*", f"{bus}*")
    assert narrow.get_topic_attributes(TopicArn=topic)
    for action, call in (
        (
            "sns:GetSubscriptionAttributes",
            lambda: narrow.get_subscription_attributes(SubscriptionArn=arn),
        ),
        ("sns:Unsubscribe", lambda: narrow.unsubscribe(SubscriptionArn=arn)),
        (
            "events:PutPermission",
            lambda: narrow_bus.put_permission(EventBusName="heard", **grant),
        ),
    ):
        assert action in refusal(call)
    wide, wide_bus = clients("*", "*")
    assert wide.get_subscription_attributes(SubscriptionArn=arn)
    wide.unsubscribe(SubscriptionArn=arn)
    wide_bus.put_permission(EventBusName="heard", **grant)
    assert "one" in events.describe_event_bus(Name="heard")["Policy"]
