"""Drift of stacks and StackSets: what was changed behind CloudFormation's back is named."""

from __future__ import annotations

from typing import Any

from sandbox.box import Box
from sandbox.demo.product_setup import uploaded
from tests.sandbox.cloudformation.rings import REGION, Ring, fill, make_set, refused, ring
from tests.sandbox.cloudformation.templates import NAMED, deny_policy, ended, resource, template
from tests.sandbox.parts import document

__all__ = ["ring"]

PATTERN = {"source": ["aws.iam"]}


def watcher() -> str:
    return template(
        Deny=deny_policy(),
        Rule=resource("AWS::Events::Rule", Name="calls", State="ENABLED", EventPattern=PATTERN),
        Queue=resource("AWS::SQS::Queue", QueueName="drifting", VisibilityTimeout=30),
    )


def detect(box: Box, ring: Ring) -> dict[str, Any]:
    cloudformation = box.client("cloudformation", box.management)
    operation = cloudformation.detect_stack_set_drift(
        StackSetName=ring.name,
        OperationPreferences={"MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100},
    )
    return ended(box, ring.name, operation["OperationId"])


def drifts(box: Box, ring: Ring) -> dict[str, str]:
    listed = box.client("cloudformation", box.management).list_stack_instances(
        StackSetName=ring.name
    )
    return {one["Account"]: one["DriftStatus"] for one in listed["Summaries"]}


def resources(box: Box, ring: Ring, account: str, operation: str) -> dict[str, Any]:
    listed = box.client("cloudformation", box.management).list_stack_instance_resource_drifts(
        StackSetName=ring.name,
        StackInstanceAccount=account,
        StackInstanceRegion=REGION,
        OperationId=operation,
    )
    return {
        one["LogicalResourceId"]: (
            one["StackResourceDriftStatus"],
            [difference["PropertyPath"] for difference in one.get("PropertyDifferences", [])],
        )
        for one in listed["Summaries"]
    }


def test_nobody_looked_yet(box: Box, ring: Ring) -> None:
    cloudformation = make_set(box, ring, watcher())
    fill(box, ring)
    assert drifts(box, ring) == dict.fromkeys(ring.accounts, "NOT_CHECKED")
    shown = cloudformation.describe_stack_set(StackSetName=ring.name)["StackSet"]
    assert shown["StackSetDriftDetectionDetails"] == {"DriftStatus": "NOT_CHECKED"}


def test_a_policy_a_rule_and_a_queue_that_somebody_changed_are_named(box: Box, ring: Ring) -> None:
    cloudformation = make_set(box, ring, watcher())
    fill(box, ring)
    first, second = ring.accounts
    box.client("iam", first).create_policy_version(
        PolicyArn=f"arn:aws:iam::{first}:policy/parts/parts-deny",
        PolicyDocument=document({"Effect": "Allow", "Action": "*", "Resource": "*"}),
        SetAsDefault=True,
    )
    box.client("events", first).disable_rule(Name="calls")
    queue = box.client("sqs", first)
    url = queue.get_queue_url(QueueName="drifting")["QueueUrl"]
    queue.delete_queue(QueueUrl=url)

    operation = detect(box, ring)

    assert (operation["Action"], operation["Status"]) == ("DETECT_DRIFT", "SUCCEEDED")
    assert drifts(box, ring) == {first: "DRIFTED", second: "IN_SYNC"}
    named = resources(box, ring, first, operation["OperationId"])
    assert named["Rule"] == ("MODIFIED", ["/State"])
    assert named["Queue"] == ("DELETED", [])
    status, paths = named["Deny"]
    assert status == "MODIFIED"
    assert set(paths) == {
        "/PolicyDocument/Statement/0/Effect",
        "/PolicyDocument/Statement/0/Action",
    }
    details = cloudformation.describe_stack_set(StackSetName=ring.name)["StackSet"][
        "StackSetDriftDetectionDetails"
    ]
    assert details.pop("LastDriftCheckTimestamp")
    assert details == {
        "DriftStatus": "DRIFTED",
        "DriftDetectionStatus": "COMPLETED",
        "TotalStackInstancesCount": 2,
        "DriftedStackInstancesCount": 1,
        "InSyncStackInstancesCount": 1,
        "InProgressStackInstancesCount": 0,
        "FailedStackInstancesCount": 0,
    }
    listed = cloudformation.list_stack_sets()["Summaries"]
    (summary,) = [one for one in listed if one["StackSetName"] == ring.name]
    assert summary["DriftStatus"] == "DRIFTED"
    drifted = cloudformation.list_stack_instances(
        StackSetName=ring.name, Filters=[{"Name": "DRIFT_STATUS", "Values": "DRIFTED"}]
    )
    assert [one["Account"] for one in drifted["Summaries"]] == [first]


def test_an_update_with_the_same_template_mends_no_drift(box: Box, ring: Ring) -> None:
    cloudformation = make_set(box, ring, watcher())
    fill(box, ring)
    first, _ = ring.accounts
    box.client("events", first).disable_rule(Name="calls")
    operation = cloudformation.update_stack_set(
        StackSetName=ring.name, TemplateBody=watcher(), Capabilities=NAMED
    )
    assert ended(box, ring.name, operation["OperationId"])["Status"] == "SUCCEEDED"
    detect(box, ring)
    assert drifts(box, ring)[first] == "DRIFTED"


def test_a_stack_that_cannot_be_looked_at_fails_for_its_account(box: Box, ring: Ring) -> None:
    make_set(box, ring, watcher())
    fill(box, ring)
    first, second = ring.accounts
    stack = box.client("cloudformation", first).describe_stacks()["Stacks"][0]["StackName"]
    box.client("cloudformation", first).delete_stack(StackName=stack)
    operation = detect(box, ring)
    assert operation["StatusDetails"] == {"FailedStackInstancesCount": 1}
    results = box.client("cloudformation", box.management).list_stack_set_operation_results(
        StackSetName=ring.name, OperationId=operation["OperationId"]
    )
    reported = {one["Account"]: one for one in results["Summaries"]}
    assert reported[first]["Status"] == "FAILED"
    assert "does not exist" in reported[first]["StatusReason"]
    assert reported[second]["Status"] == "SUCCEEDED"


def test_drift_is_detected_for_one_operation_at_a_time(box: Box, ring: Ring) -> None:
    cloudformation = make_set(box, ring, watcher())
    fill(box, ring)
    box.stack_seconds = 3600
    try:
        operation = cloudformation.detect_stack_set_drift(StackSetName=ring.name)["OperationId"]
        code = refused(cloudformation.detect_stack_set_drift, StackSetName=ring.name)
        assert code == "OperationInProgressException"
        cloudformation.stop_stack_set_operation(StackSetName=ring.name, OperationId=operation)
    finally:
        box.stack_seconds = 0
        box.advance(7200)
    assert ended(box, ring.name, operation)["Status"] == "STOPPED"


def test_what_was_just_deployed_of_the_product_has_not_drifted(box: Box, ring: Ring) -> None:
    bus = f"arn:aws:events:{REGION}:{box.security}:event-bus/iam-org-revoker"
    cloudformation = box.client("cloudformation", box.management)
    cloudformation.create_stack_set(
        StackSetName=ring.name,
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": False},
        Capabilities=NAMED,
        Parameters=[{"ParameterKey": "CentralBusArn", "ParameterValue": bus}],
        **uploaded(box, box.management, "member"),
    )
    assert fill(box, ring)["Status"] == "SUCCEEDED"
    operation = detect(box, ring)
    first, _ = ring.accounts
    found = resources(box, ring, first, operation["OperationId"])
    assert {name: one for name, one in found.items() if one[0] != "IN_SYNC"} == {}
    assert {"DenyPolicy", "DenyGroup", "CallsRule"} <= found.keys()
    assert drifts(box, ring) == dict.fromkeys(ring.accounts, "IN_SYNC")
