"""What the operator may do to mend drift, to move contained accounts and to remove; whatever takes
a stack away looks first who is contained there. Data, no logic.

Denies are put on and taken off by their ARN, by the condition keys that the Service Authorization
Reference names for IAM; it has none for what is written into a policy. permissions.py prints these.
"""

from __future__ import annotations

from handler.model.names import (
    DENY_GROUP,
    DENY_POLICY,
    IAM_PATH,
    INCIDENT_TABLE,
    KEPT_GROUP,
    KEPT_PATH,
    KEPT_POLICY,
    KEPT_SESSION_GROUP,
    KEPT_SESSION_POLICY,
    PRODUCT,
    REVOKER,
    SESSION_DENY_GROUP,
    SESSION_DENY_POLICY,
)
from stacksets.config.model import CENTRAL_STACK, MANAGEMENT_STACK
from stacksets.permissions.model import Permission

# Also a set of the bare name, made by hand and gone on with by `takes_over`.
_SET = f"cloudformation:*:*:stackset/{PRODUCT}*"
_DENIES = tuple(f"iam::*:policy{IAM_PATH}{name}" for name in (DENY_POLICY, SESSION_DENY_POLICY))
_KEPT = tuple(f"iam::*:policy{KEPT_PATH}{name}" for name in (KEPT_POLICY, KEPT_SESSION_POLICY))
_KEPT_GROUPS = tuple(f"iam::*:group{KEPT_PATH}{name}" for name in (KEPT_GROUP, KEPT_SESSION_GROUP))
_DENY_GROUPS = tuple(f"iam::*:group{IAM_PATH}{name}" for name in (DENY_GROUP, SESSION_DENY_GROUP))
_BUCKET = f"s3:::{PRODUCT}-templates-*"

_POLICY, _BOUNDARY = "iam:PolicyARN", "iam:PermissionsBoundary"


def _compared(stack: str) -> tuple[Permission, ...]:
    """What it takes to look for drift in an ordinary stack."""
    of_stack = f"cloudformation:*:*:stack/{stack}/*"
    why = "to look for drift in its own stack"
    return (
        Permission("cloudformation:DetectStackDrift", of_stack, why),
        Permission(
            "cloudformation:DetectStackResourceDrift", of_stack, f"{why}, for each resource"
        ),
        Permission("cloudformation:DescribeStackDriftDetectionStatus", "*", why),
        Permission("cloudformation:BatchDescribeTypeConfigurations", "*", why),
        Permission("cloudformation:DescribeStackResourceDrifts", of_stack, why),
    )


WHERE_THE_SETS_ARE: tuple[Permission, ...] = (
    Permission("cloudformation:DetectStackSetDrift", _SET, "to look for drift"),
    Permission("cloudformation:ListStackInstanceResourceDrifts", _SET, "to name what has drifted"),
    *_compared(MANAGEMENT_STACK),
    Permission("cloudformation:DeleteStackSet", _SET, "to remove"),
    Permission("s3:DeleteObject", f"{_BUCKET}/*", "to remove"),
    Permission("s3:DeleteBucket", _BUCKET, "to remove"),
)
GUARDRAIL: tuple[Permission, ...] = (
    Permission("organizations:DetachPolicy", "*", "to remove the guardrail"),
    Permission("organizations:DeletePolicy", "*", "to remove the guardrail"),
)
CENTRAL: tuple[Permission, ...] = (
    Permission(
        "dynamodb:Scan", f"dynamodb:*:*:table/{INCIDENT_TABLE}", "where somebody may be contained"
    ),
    *_compared(CENTRAL_STACK),
    Permission("s3:DeleteObject", f"{_BUCKET}/*", "to remove"),
    Permission("s3:DeleteBucket", _BUCKET, "to remove"),
)
MEMBERS: tuple[Permission, ...] = (
    *(
        Permission(f"iam:{name}", arn, "who bears it, and whether it is a deny still")
        for name in ("ListEntitiesForPolicy", "GetPolicy", "GetPolicyVersion")
        for arn in (*_DENIES, *_KEPT)
    ),
    Permission("iam:ListPolicies", "*", "whether the name of a kept deny is taken"),
    # A group that is not there yet has no path by which IAM could know it.
    Permission("iam:GetGroup", "iam::*:group/*", "who is in our groups, or in one that was kept"),
    *(
        Permission(f"iam:{name}", "iam::*:user/*", "whether another deny has room")
        for name in ("ListAttachedUserPolicies", "ListGroupsForUser")
    ),
    *(
        Permission(f"iam:{name}", "iam::*:role/*", "whether another deny has room")
        for name in ("ListAttachedRolePolicies", "GetRole")
    ),
    *(
        Permission(f"iam:{name}", arn, "the deny that no stack owns")
        for name in ("CreatePolicy", "CreatePolicyVersion", "DeletePolicy")
        for arn in _KEPT
    ),
    *(
        Permission(f"iam:{name}", group, "the same for users at their quota")
        for name in ("CreateGroup", "DeleteGroup", "AddUserToGroup", "RemoveUserFromGroup")
        for group in _KEPT_GROUPS
    ),
    *(
        Permission(f"iam:{verb}GroupPolicy", group, "the deny of that group", _POLICY, (deny,))
        for verb in ("Attach", "Detach")
        for group, deny in zip(_KEPT_GROUPS, _KEPT, strict=True)
    ),
    *(
        Permission("iam:RemoveUserFromGroup", group, "to take our own off")
        for group in _DENY_GROUPS
    ),
    *(
        Permission(f"iam:{name}", f"iam::*:{kind}/*", why, _POLICY, only)
        for kind, action in (("user", "UserPolicy"), ("role", "RolePolicy"))
        for name, why, only in (
            (f"Attach{action}", "to put the kept one on", _KEPT),
            (f"Detach{action}", "to take ours off, and later the kept one", (*_DENIES, *_KEPT)),
        )
    ),
    Permission(
        *("iam:PutRolePermissionsBoundary", "iam::*:role/*", "the same for boundaries"),
        key=_BOUNDARY,
        only=_KEPT[:1],
    ),
    Permission(
        *("iam:DeleteRolePermissionsBoundary", "iam::*:role/*", "the same for boundaries"),
        key=_BOUNDARY,
        only=(_DENIES[0], _KEPT[0]),
    ),
    *(
        Permission(f"lambda:{name}", f"lambda:*:*:function:{REVOKER}", why)
        for name, why in (
            ("GetFunctionConcurrency", "whether the revoker was stopped"),
            ("PutFunctionConcurrency", "to stop it"),
            ("InvokeFunction", "to let the new one make its first round"),
        )
    ),
)
