"""The actions of our policies that know no resource, so that a policy allows them on `*` alone.

AWS authorizes them on `*` (Service Authorization Reference, where the column "Resource types" is
empty). Data; a test holds it against the Reference.
"""

from __future__ import annotations

from collections.abc import Mapping

_NAMES: Mapping[str, tuple[str, ...]] = {
    "cloudformation": (
        *("ActivateOrganizationsAccess", "BatchDescribeTypeConfigurations", "CreateStackSet"),
        *("DescribeOrganizationsAccess", "DescribeStackDriftDetectionStatus", "ListStackSets"),
    ),
    "cloudtrail": ("DescribeTrails", "LookupEvents"),
    "cloudwatch": ("PutMetricData",),
    "events": ("PutPermission", "RemovePermission"),
    "iam": ("ListAccountAliases", "ListPolicies", "ListRoles", "ListUsers"),
    "lambda": ("CreateEventSourceMapping",),
    "logs": ("DescribeIndexPolicies", "DescribeLogGroups", "DescribeResourcePolicies"),
    "organizations": (
        *("CreatePolicy", "DescribeOrganization", "EnableAWSServiceAccess", "LeaveOrganization"),
        *("ListDelegatedAdministrators", "ListPolicies", "ListRoots"),
    ),
    "sns": ("GetSubscriptionAttributes", "SetSubscriptionAttributes", "Unsubscribe"),
    "sso": ("ListInstances",),
}
RESOURCELESS = frozenset(f"{service}:{one}" for service, names in _NAMES.items() for one in names)
