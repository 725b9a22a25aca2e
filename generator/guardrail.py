"""The service control policy that makes the deny irremovable. Text only: attaches nothing.

It binds every principal of the accounts below it, root included, but neither the management account
nor service-linked roles. A deny of it needs no time to spread inside the account, so that the
seconds which IAM needs to apply our own deny are of no use for taking it off again.
"""

from __future__ import annotations

import json
import re

from generator.policy.statements import Statement, document
from handler.model.names import (
    DENY_POLICY,
    IAM_PATH,
    KEPT_PATH,
    MEMBER_DEAD_LETTERS,
    MEMBER_ROLES,
    PRODUCT,
    RECONCILE_SCHEDULE,
    REVOKER,
    SESSION_DENY_POLICY,
    STATE_TABLE,
    TRAIL,
)

# Characters of one service control policy. AWS raised its own limit to 10,240 in 2026; older tools
# still refuse more than 5,120.
# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
LIMIT = 5_120
AWS_LIMIT = 10_240

BREAK_GLASS = "role/iam-administrators/break-glass*"
# A pattern of nothing but wildcards would free everybody.
_BREAK_GLASS_SHAPE = r"role/(?![*?/]*$)[A-Za-z0-9+=,.@_/*?-]{1,500}"

_IAM = "arn:*:iam::*:"
_ROLLOUT = f"{_IAM}role/stacksets-exec-*"
_ADMINISTRATORS = f"{_IAM}role/iam-administrators/*"
_OURS = f"{_IAM}role{IAM_PATH}*"
_REVOKER = f"{_IAM}role{IAM_PATH}{REVOKER}"
# Names that the default of AdminRolePatterns exempts, beside the two above.
_RESCUE = (f"{_IAM}role/AWSControlTowerExecution", f"{_IAM}role/OrganizationAccountAccessRole")
_MEMBER_ROLES = tuple(f"{_IAM}role{IAM_PATH}{name}" for name in MEMBER_ROLES)
_DENIES = tuple(f"{_IAM}policy{IAM_PATH}{name}" for name in (DENY_POLICY, SESSION_DENY_POLICY))
# What keeps a containment from one stack to the next, or from a removal on.
_KEPT, _KEPT_GROUPS = f"{_IAM}policy{KEPT_PATH}*", f"{_IAM}group{KEPT_PATH}*"

_FORGING = (
    "iam:CreateRole",
    "iam:DeleteRole*",
    "iam:UpdateRole*",
    "iam:UpdateAssumeRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRole*",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:PassRole",
)
_READING = (
    *("cloudformation:Describe*", "cloudformation:Detect*", "cloudformation:Get*"),
    *("cloudformation:List*", "cloudtrail:Get*", "cloudtrail:List*", "dynamodb:BatchGetItem"),
    *("dynamodb:Describe*", "dynamodb:Get*", "dynamodb:List*", "dynamodb:PartiQLSelect"),
    *("dynamodb:Query", "dynamodb:Scan", "events:Describe*", "events:List*", "lambda:Get*"),
    *("lambda:List*", "logs:Describe*", "logs:Filter*", "logs:Get*", "logs:List*"),
    *("logs:StartQuery", "scheduler:Get*", "scheduler:List*", "sqs:Get*", "sqs:List*"),
)
_RESOURCES = (
    f"arn:*:lambda:*:*:function:{REVOKER}",
    f"arn:*:lambda:*:*:function:{REVOKER}:*",
    f"arn:*:events:*:*:rule/{PRODUCT}-*",
    f"arn:*:scheduler:*:*:schedule/default/{RECONCILE_SCHEDULE}",
    f"arn:*:dynamodb:*:*:table/{STATE_TABLE}",
    f"arn:*:dynamodb:*:*:table/{STATE_TABLE}/*",
    f"arn:*:sqs:*:*:{MEMBER_DEAD_LETTERS}",
    f"arn:*:logs:*:*:log-group:/aws/*/{REVOKER}",
    f"arn:*:logs:*:*:log-group:/aws/*/{REVOKER}:*",
    f"arn:*:cloudtrail:*:*:trail/{TRAIL}",
    f"arn:*:cloudformation:*:*:stack/StackSet-{PRODUCT}*",
)


def guardrail_statements(break_glass: str = BREAK_GLASS) -> tuple[Statement, ...]:
    """Every statement with its reason; raises ValueError on a pattern that is no role's."""
    if not re.fullmatch(_BREAK_GLASS_SHAPE, break_glass):
        raise ValueError(
            f"--break-glass {break_glass!r}: write role/PATH/NAME, with at least one character "
            "besides wildcards"
        )
    rescuer = f"{_IAM}{break_glass}"
    return (
        *_deny_statements(rescuer),
        *_name_statements(rescuer),
        *_resource_statements(rescuer),
    )


def guardrail_json(break_glass: str = BREAK_GLASS) -> str:
    """The policy, minified, as it is attached; raises ValueError when it outgrows the limit."""
    text = json.dumps(document(guardrail_statements(break_glass)), separators=(",", ":"))
    if len(text) > LIMIT:
        raise ValueError(
            f"the guardrail has {len(text):,} characters, more than {LIMIT:,}: "
            "shorten --break-glass"
        )
    return text


def _unless(*patterns: str) -> dict[str, object]:
    return {"ArnNotLike": {"aws:PrincipalArn": list(patterns)}}


def _deny_statements(rescuer: str) -> tuple[Statement, ...]:
    return (
        Statement(
            sid="DenyStaysOn",
            why="A contained principal cannot remove the deny in the seconds before it applies, "
            "nor can an accomplice; and nobody can put it on an administrator.",
            effect="Deny",
            actions=(
                "iam:AttachGroupPolicy",
                "iam:AttachRolePolicy",
                "iam:AttachUserPolicy",
                "iam:DetachGroupPolicy",
                "iam:DetachRolePolicy",
                "iam:DetachUserPolicy",
            ),
            resources=("*",),
            conditions={
                "ArnLike": {"iam:PolicyARN": [*_DENIES, _KEPT]},
                **_unless(_REVOKER, _ROLLOUT, rescuer),
            },
        ),
        Statement(
            sid="BoundaryStaysOn",
            why="The second deny method for roles; nobody sets it on others. IAM cannot tell what "
            "a Put replaces: it can still be replaced, and reconciliation then reports it.",
            effect="Deny",
            actions=(
                "iam:DeleteRolePermissionsBoundary",
                "iam:PutRolePermissionsBoundary",
                "iam:PutUserPermissionsBoundary",
            ),
            resources=("*",),
            conditions={
                "ArnLike": {"iam:PermissionsBoundary": [_DENIES[0], _KEPT]},
                **_unless(_REVOKER, _ROLLOUT, rescuer),
            },
        ),
        Statement(
            sid="DenyStaysTrue",
            why="A rewritten deny could allow, a member removed from a deny group is free, and "
            "nobody else may open, strengthen, pass or assume the revoker's roles.",
            effect="Deny",
            not_actions=("iam:Generate*", "iam:Get*", "iam:List*", "iam:Simulate*"),
            resources=(
                *(f"{_IAM}policy{IAM_PATH}*", f"{_IAM}group{IAM_PATH}*"),
                *(_KEPT, _KEPT_GROUPS),
                *_MEMBER_ROLES,
            ),
            conditions=_unless(_REVOKER, _ROLLOUT, rescuer),
        ),
    )


def _name_statements(rescuer: str) -> tuple[Statement, ...]:
    names: tuple[str, ...] = (_ROLLOUT, *_RESCUE, _ADMINISTRATORS)
    if not rescuer.startswith(_ADMINISTRATORS.removesuffix("*")):
        names += (rescuer,)
    return (
        Statement(
            sid="ExemptNamesStayTrue",
            why="Roles with these names call IAM freely: a principal that could create, open, "
            "strengthen or pass one would be an administrator. Only these roles may.",
            effect="Deny",
            actions=_FORGING,
            resources=(*names, _OURS),
            conditions=_unless(_REVOKER, *names),
        ),
    )


def _resource_statements(rescuer: str) -> tuple[Statement, ...]:
    return (
        Statement(
            sid="RevokerStaysAlive",
            why="Function, rules, schedule, table and its items, dead letters, log, trail and "
            "stack: everybody may read them, nobody else may change or invoke them.",
            effect="Deny",
            not_actions=_READING,
            resources=_RESOURCES,
            conditions=_unless(_OURS, _ROLLOUT, rescuer),
        ),
        Statement(
            sid="AccountStaysHere",
            why="An account that leaves its Organization leaves this guardrail.",
            effect="Deny",
            actions=("organizations:LeaveOrganization",),
            resources=("*",),
            conditions=_unless(rescuer),
        ),
    )
