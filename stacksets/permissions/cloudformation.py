"""What CloudFormation does in somebody's name in the two ordinary stacks. Data.

It makes resources with its service role, or the operator's rights without one; it compares them
with their template with the rights of whoever asks (User Guide, "Detect drift on an entire
CloudFormation stack"). The emulator checks neither: tests hold both against the permissions that
CloudFormation's registry lists for each resource type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from handler.model.names import IAM_PATH, PRODUCT
from stacksets.config.model import bucket_name
from stacksets.permissions.model import Permission

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


_UNNAMED = "the same; it has no name"
_MAPPING = "lambda:*:*:event-source-mapping:*"
# AWS names no resource for these (Service Authorization Reference), so that they need "*".
_MADE_ANYWHERE: Mapping[str, str] = {
    "cloudtrail:DescribeTrails": "CloudFormation looks before it changes a trail",
    "events:PutPermission": "the policy of the bus",
    "events:RemovePermission": "the policy of the bus",
    "lambda:CreateEventSourceMapping": "queue to notifier",
    "logs:DescribeIndexPolicies": "CloudFormation reads what it made",
    "logs:DescribeLogGroups": "CloudFormation looks before it makes",
    "logs:DescribeResourcePolicies": "CloudFormation reads what it made",
    "sns:GetSubscriptionAttributes": "the subscription of the given address",
    "sns:SetSubscriptionAttributes": "the subscription of the given address",
    "sns:Unsubscribe": "the subscription of the given address",
}
_READ_ANYWHERE = (
    *("cloudtrail:DescribeTrails", "logs:DescribeIndexPolicies", "logs:DescribeLogGroups"),
    *("logs:DescribeResourcePolicies", "sns:GetSubscriptionAttributes"),
)


def made_by_cloudformation() -> Iterator[Permission]:
    """What its service role needs for the two ordinary stacks."""
    for service, resources in _OURS.items():
        for resource in resources:
            yield Permission(f"{service}:*", f"{service}:{resource}", "what the templates hold")
    yield Permission("kms:*", "*", "the key of the health topic, which has no name")
    for name in (
        *("UpdateEventSourceMapping", "DeleteEventSourceMapping", "GetEventSourceMapping"),
        "TagResource",
    ):
        yield Permission(f"lambda:{name}", _MAPPING, "queue to notifier; it has no name")
    for action, why in _MADE_ANYWHERE.items():
        yield Permission(action, "*", f"{why}; AWS names no resource for it")
    yield Permission("s3:GetObject", f"s3:::{bucket_name('*')}/*", "the template itself")


# Service, and kind of resource where it matters -> what reads the properties that the two
# templates set, and no data.
_READS: Mapping[str, tuple[str, ...]] = {
    "cloudtrail": (
        *("GetEventConfiguration", "GetEventSelectors", "GetInsightSelectors", "GetTrail"),
        *("GetTrailStatus", "ListTags"),
    ),
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
        *("GetFunctionRecursionConfig", "GetFunctionScalingConfig", "GetPolicy"),
        "GetRuntimeManagementConfig",
    ),
    "logs": ("GetDataProtectionPolicy", "ListTagsForResource"),
    "scheduler": ("GetSchedule",),
    "sns": (
        *("GetDataProtectionPolicy", "GetTopicAttributes"),
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
    for name in ("DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus", "ListResourceTags"):
        yield Permission(f"kms:{name}", "kms:*:*:key/*", _UNNAMED)
    for name in ("GetEventSourceMapping", "ListTags"):
        yield Permission(f"lambda:{name}", _MAPPING, _UNNAMED)
    for action in _READ_ANYWHERE:
        yield Permission(action, "*", "the same; AWS names no resource for it")
