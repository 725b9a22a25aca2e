"""What CloudFormation does in somebody's name in the two ordinary stacks. Data; not tried.

It makes resources with its service role, or the operator's rights without one; it compares them
with their template with the rights of whoever asks (User Guide, "Detect drift on an entire
CloudFormation stack"). The emulator checks neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from handler.names import IAM_PATH, PRODUCT
from stacksets.observe import bucket_name
from stacksets.permission import Permission

# Service -> the resources of the two templates there.
_OURS: Mapping[str, tuple[str, ...]] = {
    "cloudtrail": (f"*:*:trail/{PRODUCT}",),
    "cloudwatch": (f"*:*:alarm:{PRODUCT}-*",),
    "dynamodb": (f"*:*:table/{PRODUCT}-*",),
    "events": (f"*:*:rule/{PRODUCT}-*", f"*:*:rule/{PRODUCT}/*", f"*:*:event-bus/{PRODUCT}"),
    "iam": tuple(f":*:{kind}{IAM_PATH}*" for kind in ("role", "policy", "group")),
    "lambda": (f"*:*:function:{PRODUCT}*",),
    "logs": (f"*:*:log-group:/aws/*/{PRODUCT}*",),
    "scheduler": (f"*:*:schedule/default/{PRODUCT}-*",),
    "sns": (f"*:*:{PRODUCT}-*",),
    "sqs": (f"*:*:{PRODUCT}-*",),
}


def made_by_cloudformation() -> Iterator[Permission]:
    """What its service role needs for the two ordinary stacks."""
    for service, resources in _OURS.items():
        for resource in resources:
            yield Permission(f"{service}:*", f"{service}:{resource}", "what the templates hold")
    for action, why in (
        ("kms:*", "the key of the health topic, which has no name"),
        ("lambda:CreateEventSourceMapping", "queue to notifier; it has no name"),
        ("lambda:UpdateEventSourceMapping", "the same"),
        ("lambda:DeleteEventSourceMapping", "the same"),
        ("lambda:GetEventSourceMapping", "the same"),
        ("lambda:TagResource", "the same"),
        ("logs:DescribeLogGroups", "CloudFormation looks before it makes"),
    ):
        yield Permission(action, "*", why)
    yield Permission("s3:GetObject", f"s3:::{bucket_name('*')}/*", "the template itself")


# Service, and kind of resource where it matters -> what reads the properties that the two
# templates set, and no data.
_READS: Mapping[str, tuple[str, ...]] = {
    "cloudtrail": ("GetEventSelectors", "GetInsightSelectors", "GetTrail", "GetTrailStatus"),
    "cloudwatch": ("DescribeAlarms", "ListTagsForResource"),
    "dynamodb": (
        *("DescribeContinuousBackups", "DescribeContributorInsights", "DescribeTable"),
        *("DescribeKinesisStreamingDestination", "DescribeTimeToLive"),
        *("GetResourcePolicy", "ListTagsOfResource"),
    ),
    "events:event-bus": ("DescribeEventBus", "ListTagsForResource"),
    "events:rule": ("DescribeRule", "ListTagsForResource", "ListTargetsByRule"),
    "iam:group": (
        *("GetGroup", "GetGroupPolicy", "ListAttachedGroupPolicies", "ListGroupPolicies"),
    ),
    "iam:policy": ("GetPolicy", "GetPolicyVersion", "ListEntitiesForPolicy"),
    "iam:role": ("GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies"),
    "lambda": (
        *("GetFunction", "GetFunctionCodeSigningConfig", "GetFunctionEventInvokeConfig"),
        *("GetFunctionRecursionConfig", "GetPolicy", "GetRuntimeManagementConfig"),
    ),
    "logs": ("GetDataProtectionPolicy", "ListTagsForResource"),
    "scheduler": ("GetSchedule",),
    "sns": (
        *("GetDataProtectionPolicy", "GetSubscriptionAttributes", "GetTopicAttributes"),
        *("ListSubscriptionsByTopic", "ListTagsForResource"),
    ),
    "sqs": ("GetQueueAttributes", "GetQueueUrl", "ListQueueTags"),
}


def read_by_cloudformation() -> Iterator[Permission]:
    """What whoever looks for drift in the two ordinary stacks needs."""
    for service, resources in _OURS.items():
        for resource in resources:
            kind = resource.split(":")[2].partition("/")[0]
            for action in _READS.get(f"{service}:{kind}") or _READS[service]:
                yield Permission(f"{service}:{action}", f"{service}:{resource}", "to compare it")
    for action in (
        *("kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus"),
        *("kms:ListResourceTags", "lambda:GetEventSourceMapping", "lambda:ListTags"),
        "logs:DescribeLogGroups",
    ):
        yield Permission(action, "*", "the same; it has no name")
