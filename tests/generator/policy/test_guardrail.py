"""The guardrail, statement by statement: refused with it, possible without it, not in the way."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from generator.guardrail import AWS_LIMIT, LIMIT, guardrail_json, guardrail_statements
from tests.generator.filling import ACCOUNT
from tests.generator.policy.questions import Document, decision

ROOT_FOLDER = Path(__file__).parents[3]
COMMITTED = ROOT_FOLDER / "templates" / "guardrail.json"
GUARDRAIL_DOCUMENT = ROOT_FOLDER / "docs" / "guardrail.md"
IAM = f"arn:aws:iam::{ACCOUNT}"
ROLES = f"{IAM}:role"
DENY = f"{IAM}:policy/iam-org-revoker/iam-org-revoker-deny"
GROUP = f"{IAM}:group/iam-org-revoker/iam-org-revoker-denied"
SESSION_GROUP = f"{GROUP}-sessions"
KEPT = f"{IAM}:policy/iam-org-revoker-kept/iam-org-revoker-kept"
KEPT_GROUP = f"{IAM}:group/iam-org-revoker-kept/iam-org-revoker-kept"
REVOKER = f"{ROLES}/iam-org-revoker/iam-org-revoker"
ROLLOUT = f"{ROLES}/stacksets-exec-0123456789abcdef0123456789abcdef"
BREAK_GLASS = f"{ROLES}/iam-administrators/break-glass"
ADMINISTRATOR = f"{ROLES}/iam-administrators/platform/alice"
RESCUER = f"{ROLES}/OrganizationAccountAccessRole"
CONTROL_TOWER = f"{ROLES}/AWSControlTowerExecution"
RECONCILE = f"{ROLES}/iam-org-revoker/iam-org-revoker-reconcile"
RESPONDER = f"{ROLES}/iam-org-revoker/iam-org-revoker-responder"
TRAIL = f"{ROLES}/iam-org-revoker/iam-org-revoker-trail"
ROOT = f"{IAM}:root"
ALICE = f"{IAM}:user/alice"
DEPLOY = f"{ROLES}/deploy"
SSO = f"{ROLES}/aws-reserved/sso.amazonaws.com/AWSReservedSSO_AdministratorAccess_0123456789abcdef"

# Like an exempt role by some reading, but none.
LOOK_ALIKES = (
    f"{ROLES}/x/stacksets-exec-0123",
    f"{ROLES}/my-stacksets-exec-0123",
    f"{ROLES}/iam-org-revoker",
    f"{ROLES}/iam-org-revoker/iam-org-revoker-evil",
    f"{ROLES}/x/iam-org-revoker/iam-org-revoker",
    f"{ROLES}/iam-administrators/brake-glass",
    f"{ROLES}/x/iam-administrators/break-glass",
    f"{IAM}:user/iam-administrators/break-glass",
    f"{IAM}:user/stacksets-exec-0123",
    f"arn:aws:sts::{ACCOUNT}:federated-user/stacksets-exec-0123",
)
EVERYBODY_ELSE = (ALICE, DEPLOY, SSO, ROOT, *LOOK_ALIKES)
OFTEN = (ADMINISTRATOR, RESCUER, CONTROL_TOWER)

HERE = f"us-east-1:{ACCOUNT}"
FUNCTION = f"arn:aws:lambda:{HERE}:function:iam-org-revoker"
RULE = f"arn:aws:events:{HERE}:rule/iam-org-revoker-calls"
SCHEDULE = f"arn:aws:scheduler:{HERE}:schedule/default/iam-org-revoker-reconcile"
TABLE = f"arn:aws:dynamodb:{HERE}:table/iam-org-revoker-state"
QUEUE = f"arn:aws:sqs:{HERE}:iam-org-revoker-dead-letters"
LOG = f"arn:aws:logs:{HERE}:log-group:/aws/lambda/iam-org-revoker"
OUR_TRAIL = f"arn:aws:cloudtrail:{HERE}:trail/iam-org-revoker"
STACK = f"arn:aws:cloudformation:{HERE}:stack/StackSet-iam-org-revoker-0a1b/0a1b"

ALLOW_ALL: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}],
}
Call = tuple[str, str, dict[str, str]]


@cache
def guardrail(without: str) -> Document:
    policy: Document = json.loads(guardrail_json())
    return policy | {"Statement": [s for s in policy["Statement"] if s["Sid"] != without]}


def refused(who: str, call: Call, *, without: str = "") -> bool:
    """Whether the guardrail stops a caller who may do everything by IAM."""
    action, resource, context = call
    answer = decision(
        [ALLOW_ALL, guardrail(without)], action, resource, principal=who, context=context
    )
    assert answer in ("Allow", "Deny")
    return answer == "Deny"


def call(action: str, resource: str, **context: str) -> Call:
    return action, resource, {key.replace("__", ":"): value for key, value in context.items()}


# Sid -> calls that it alone refuses -> who may make them all the same.
STATEMENTS: dict[str, tuple[list[Call], tuple[str, ...]]] = {
    "DenyStaysOn": (
        [
            call("iam:DetachUserPolicy", ALICE, iam__PolicyARN=DENY),
            call("iam:DetachRolePolicy", DEPLOY, iam__PolicyARN=DENY),
            call("iam:DetachUserPolicy", ALICE, iam__PolicyARN=f"{DENY}-sessions"),
            call("iam:DetachGroupPolicy", f"{IAM}:group/Builders", iam__PolicyARN=DENY),
            call("iam:AttachUserPolicy", ALICE, iam__PolicyARN=DENY),
            call("iam:AttachRolePolicy", DEPLOY, iam__PolicyARN=DENY),
            call("iam:AttachGroupPolicy", f"{IAM}:group/Builders", iam__PolicyARN=DENY),
            call("iam:DetachUserPolicy", ALICE, iam__PolicyARN=KEPT),
            call("iam:DetachUserPolicy", ALICE, iam__PolicyARN=f"{KEPT}-sessions"),
            call("iam:DetachRolePolicy", DEPLOY, iam__PolicyARN=KEPT),
            call("iam:AttachUserPolicy", ALICE, iam__PolicyARN=KEPT),
        ],
        (REVOKER, ROLLOUT, BREAK_GLASS),
    ),
    "BoundaryStaysOn": (
        [
            call("iam:DeleteRolePermissionsBoundary", DEPLOY, iam__PermissionsBoundary=DENY),
            call("iam:PutRolePermissionsBoundary", DEPLOY, iam__PermissionsBoundary=DENY),
            call("iam:PutUserPermissionsBoundary", ALICE, iam__PermissionsBoundary=DENY),
            call("iam:DeleteRolePermissionsBoundary", DEPLOY, iam__PermissionsBoundary=KEPT),
            call("iam:PutRolePermissionsBoundary", DEPLOY, iam__PermissionsBoundary=KEPT),
        ],
        (REVOKER, ROLLOUT, BREAK_GLASS),
    ),
    "DenyStaysTrue": (
        [
            call("iam:CreatePolicyVersion", DENY),
            call("iam:SetDefaultPolicyVersion", DENY),
            call("iam:DeletePolicyVersion", DENY),
            call("iam:DeletePolicy", f"{DENY}-sessions"),
            call("iam:TagPolicy", DENY),
            call("iam:RemoveUserFromGroup", GROUP),
            call("iam:AddUserToGroup", SESSION_GROUP),
            call("iam:RemoveUserFromGroup", SESSION_GROUP),
            call("iam:PutGroupPolicy", SESSION_GROUP),
            call("iam:DeleteGroup", SESSION_GROUP),
            call("iam:RemoveUserFromGroup", f"{KEPT_GROUP}-sessions"),
            call("iam:AttachGroupPolicy", GROUP, iam__PolicyARN="arn:aws:iam::aws:policy/Admin"),
            call("iam:PutGroupPolicy", GROUP),
            call("iam:DeleteGroup", GROUP),
            call("iam:UpdateGroup", GROUP),
            call("iam:CreatePolicy", KEPT),
            call("iam:CreatePolicyVersion", KEPT),
            call("iam:DeletePolicy", f"{KEPT}-sessions"),
            call("iam:CreateGroup", KEPT_GROUP),
            call("iam:AddUserToGroup", KEPT_GROUP),
            call("iam:RemoveUserFromGroup", KEPT_GROUP),
            call("sts:AssumeRole", REVOKER),
        ],
        (REVOKER, ROLLOUT, BREAK_GLASS),
    ),
    "ExemptNamesStayTrue": (
        [
            call("iam:CreateRole", f"{ROLES}/stacksets-exec-evil"),
            call("iam:CreateRole", f"{ROLES}/iam-administrators/mallory"),
            call("iam:CreateRole", f"{ROLES}/iam-org-revoker/iam-org-revoker-notifier"),
            call("iam:UpdateAssumeRolePolicy", ROLLOUT),
            call("iam:UpdateAssumeRolePolicy", CONTROL_TOWER),
            call("iam:UpdateAssumeRolePolicy", RESCUER),
            call("iam:AttachRolePolicy", ADMINISTRATOR),
            call("iam:PutRolePolicy", ADMINISTRATOR),
            call("iam:DetachRolePolicy", RESCUER),
            call("iam:DeleteRolePolicy", RESCUER),
            call("iam:PutRolePermissionsBoundary", ADMINISTRATOR),
            call("iam:DeleteRolePermissionsBoundary", ADMINISTRATOR),
            call("iam:DeleteRole", BREAK_GLASS),
            call("iam:UpdateRole", BREAK_GLASS),
            call("iam:TagRole", ADMINISTRATOR),
            call("iam:PassRole", ADMINISTRATOR),
            call("iam:PassRole", f"{ROLES}/iam-org-revoker/iam-org-revoker-notifier"),
        ],
        (REVOKER, ROLLOUT, BREAK_GLASS, *OFTEN),
    ),
    "RevokerStaysAlive": (
        [
            call("lambda:UpdateFunctionCode", FUNCTION),
            call("lambda:PutFunctionConcurrency", FUNCTION),
            call("lambda:InvokeFunction", FUNCTION),
            call("lambda:InvokeFunction", f"{FUNCTION}:$LATEST"),
            call("lambda:AddPermission", FUNCTION),
            call("lambda:DeleteFunctionEventInvokeConfig", f"{FUNCTION}:$LATEST"),
            call("events:DisableRule", RULE),
            call("events:RemoveTargets", RULE),
            call("events:PutTargets", RULE.replace("calls", "tamper-stores")),
            call("scheduler:UpdateSchedule", SCHEDULE),
            call("dynamodb:PutItem", TABLE),
            call("dynamodb:PartiQLDelete", TABLE),
            call("dynamodb:UpdateTimeToLive", TABLE),
            call("dynamodb:DeleteResourcePolicy", TABLE),
            call("dynamodb:RestoreTableFromBackup", f"{TABLE}/backup/0123"),
            call("dynamodb:DeleteTable", TABLE),
            call("sqs:PurgeQueue", QUEUE),
            call("logs:DeleteLogGroup", LOG),
            call("logs:DeleteLogStream", f"{LOG}:log-stream:2026"),
            call("cloudtrail:StopLogging", OUR_TRAIL),
            call("cloudformation:DeleteStack", STACK),
        ],
        (REVOKER, RECONCILE, RESPONDER, TRAIL, ROLLOUT, BREAK_GLASS),
    ),
    "AccountStaysHere": ([call("organizations:LeaveOrganization", "*")], (BREAK_GLASS,)),
}
CASES = [(sid, one) for sid, (calls, _) in STATEMENTS.items() for one in calls]


def test_every_statement_has_its_cases() -> None:
    assert [one.sid for one in guardrail_statements()] == list(STATEMENTS)


@pytest.mark.parametrize(("sid", "one"), CASES, ids=[f"{sid} {one[0]}" for sid, one in CASES])
def test_everybody_else_is_refused_by_that_statement_and_free_without_it(
    sid: str, one: Call
) -> None:
    for who in EVERYBODY_ELSE:
        # Within a path that is spared, every name is: who may make one there is another statement.
        path = {
            "RevokerStaysAlive": f"{ROLES}/iam-org-revoker/",
            "ExemptNamesStayTrue": f"{ROLES}/iam-administrators/",
        }.get(sid, "none")
        assert refused(who, one) is not who.startswith(path), who
        assert not refused(who, one, without=sid), who


@pytest.mark.parametrize(("sid", "one"), CASES, ids=[f"{sid} {one[0]}" for sid, one in CASES])
def test_who_needs_it_may(sid: str, one: Call) -> None:
    for who in STATEMENTS[sid][1]:
        assert not refused(who, one), who


@pytest.mark.parametrize("action", ["CreateRole", "UpdateAssumeRolePolicy", "PassRole"])
@pytest.mark.parametrize("name", ["", "-forward", "-reconcile", "-canary", "-trail"])
def test_the_revokers_own_roles_are_nobodys_but_the_rollouts_even_among_administrators(
    action: str, name: str
) -> None:
    one = call(f"iam:{action}", f"{REVOKER}{name}")
    for who in (*OFTEN, *EVERYBODY_ELSE):
        assert refused(who, one), who
    for who in (ROLLOUT, BREAK_GLASS):
        assert not refused(who, one), who


def test_nobody_makes_an_exempt_role_of_the_revokers_path_but_those_who_make_exempt_roles() -> None:
    one = call("iam:CreateRole", f"{ROLES}/iam-org-revoker/iam-org-revoker-evil")
    makers = (ADMINISTRATOR, RESCUER, CONTROL_TOWER, ROLLOUT, BREAK_GLASS)
    assert not any(refused(who, one) for who in makers)
    others = (who for who in EVERYBODY_ELSE if "role/iam-administrators/" not in who)
    assert all(refused(who, one) for who in others)


PRODUCT: list[tuple[str, Call]] = [
    (REVOKER, call("iam:AttachUserPolicy", ALICE, iam__PolicyARN=DENY)),
    (REVOKER, call("iam:AttachRolePolicy", ADMINISTRATOR, iam__PolicyARN=DENY)),
    (REVOKER, call("iam:DetachRolePolicy", DEPLOY, iam__PolicyARN=DENY)),
    (REVOKER, call("iam:AddUserToGroup", GROUP)),
    (REVOKER, call("iam:RemoveUserFromGroup", GROUP)),
    (REVOKER, call("iam:AddUserToGroup", SESSION_GROUP)),
    (REVOKER, call("iam:RemoveUserFromGroup", SESSION_GROUP)),
    (REVOKER, call("iam:PutRolePermissionsBoundary", DEPLOY, iam__PermissionsBoundary=DENY)),
    (REVOKER, call("iam:TagRole", f"{REVOKER}-canary")),
    (REVOKER, call("dynamodb:UpdateItem", TABLE)),
    (REVOKER, call("sqs:DeleteMessage", QUEUE)),
    (REVOKER, call("logs:PutLogEvents", f"{LOG}:log-stream:2026")),
    (RECONCILE, call("lambda:InvokeFunction", FUNCTION)),
    (RECONCILE, call("sqs:SendMessage", QUEUE)),
    (RESPONDER, call("lambda:InvokeFunction", FUNCTION)),
    (TRAIL, call("logs:PutLogEvents", LOG.replace("lambda", "cloudtrail") + ":log-stream:1")),
    (ROLLOUT, call("cloudformation:UpdateStack", STACK)),
    (ROLLOUT, call("iam:CreatePolicyVersion", DENY)),
    (ROLLOUT, call("iam:PutRolePolicy", REVOKER)),
    (ROLLOUT, call("iam:PassRole", REVOKER)),
    (ROLLOUT, call("lambda:UpdateFunctionCode", FUNCTION)),
    (ROLLOUT, call("dynamodb:DeleteTable", TABLE)),
    (ROLLOUT, call("iam:DeleteGroup", GROUP)),
    (RESCUER, call("iam:CreateRole", f"{ROLES}/iam-org-revoker/iam-org-revoker-notifier")),
    (RESCUER, call("iam:PassRole", f"{ROLES}/iam-org-revoker/iam-org-revoker-notifier")),
    (RESCUER, call("lambda:CreateFunction", f"{FUNCTION}-notifier")),
    (BREAK_GLASS, call("iam:DetachUserPolicy", ALICE, iam__PolicyARN=DENY)),
    # What `remove` and `drift --repair` do, who need the break-glass role for it.
    (BREAK_GLASS, call("lambda:PutFunctionConcurrency", FUNCTION)),
    (BREAK_GLASS, call("iam:CreatePolicy", KEPT)),
    (BREAK_GLASS, call("iam:AttachUserPolicy", ALICE, iam__PolicyARN=KEPT)),
    (BREAK_GLASS, call("iam:CreateGroup", KEPT_GROUP)),
    (BREAK_GLASS, call("iam:AttachGroupPolicy", KEPT_GROUP, iam__PolicyARN=KEPT)),
    (BREAK_GLASS, call("iam:AddUserToGroup", KEPT_GROUP)),
    (BREAK_GLASS, call("iam:PutRolePermissionsBoundary", DEPLOY, iam__PermissionsBoundary=KEPT)),
    (BREAK_GLASS, call("iam:RemoveUserFromGroup", GROUP)),
    (BREAK_GLASS, call("iam:DeletePolicy", KEPT)),
    # How reconciliation takes over whom it finds.
    (REVOKER, call("iam:ListEntitiesForPolicy", KEPT)),
    (REVOKER, call("iam:GetPolicyVersion", KEPT)),
]


@pytest.mark.parametrize(("who", "one"), PRODUCT, ids=[f"{one[0]}" for _, one in PRODUCT])
def test_the_product_itself_works_under_it(who: str, one: Call) -> None:
    assert not refused(who, one)


ORDINARY = [
    call("iam:DetachUserPolicy", ALICE, iam__PolicyARN="arn:aws:iam::aws:policy/ReadOnlyAccess"),
    call("iam:DetachUserPolicy", ALICE, iam__PolicyARN=f"{IAM}:policy/iam-org-revoker-deny"),
    call("iam:AttachUserPolicy", ALICE, iam__PolicyARN=f"{IAM}:policy/team"),
    call("iam:CreatePolicyVersion", f"{IAM}:policy/team"),
    call("iam:DetachUserPolicy", ALICE, iam__PolicyARN=f"{IAM}:policy/iam-org-revoker-kept"),
    call("iam:CreatePolicy", f"{IAM}:policy/iam-org-revoker-kept"),
    call("iam:CreatePolicy", f"{IAM}:policy/team/iam-org-revoker-kept/x"),
    call("iam:CreateGroup", f"{IAM}:group/iam-org-revoker-keptx/x"),
    call("iam:GetPolicy", KEPT),
    call("iam:RemoveUserFromGroup", f"{IAM}:group/Administrators"),
    call("iam:DeleteRolePermissionsBoundary", DEPLOY, iam__PermissionsBoundary=f"{IAM}:policy/b"),
    call("iam:DeleteRolePermissionsBoundary", DEPLOY),
    call("iam:CreateRole", DEPLOY),
    call("iam:PassRole", DEPLOY),
    call("iam:GetRole", REVOKER),
    call("iam:ListRoleTags", REVOKER),
    call("iam:GetPolicyVersion", DENY),
    call("iam:SimulatePrincipalPolicy", REVOKER),
    call("sts:AssumeRole", ADMINISTRATOR),
    call("sts:AssumeRole", RESPONDER),
    call("lambda:UpdateFunctionCode", f"arn:aws:lambda:{HERE}:function:shop"),
    call("lambda:UpdateFunctionCode", f"{FUNCTION}-notifier"),
    call("lambda:GetFunction", FUNCTION),
    call("lambda:ListFunctions", "*"),
    call("events:PutRule", f"arn:aws:events:{HERE}:rule/nightly"),
    call("events:DescribeRule", RULE),
    call("events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default"),
    call("dynamodb:PutItem", f"arn:aws:dynamodb:{HERE}:table/orders"),
    call("dynamodb:Scan", TABLE),
    call("dynamodb:DescribeTable", TABLE),
    call("sqs:PurgeQueue", f"arn:aws:sqs:{HERE}:orders"),
    call("logs:FilterLogEvents", LOG),
    call("cloudtrail:StopLogging", f"arn:aws:cloudtrail:{HERE}:trail/management-events"),
    call("cloudformation:DeleteStack", f"arn:aws:cloudformation:{HERE}:stack/shop/0a1b"),
    call("cloudformation:DescribeStacks", STACK),
    call("organizations:DescribeOrganization", "*"),
]


@pytest.mark.parametrize("one", ORDINARY, ids=[one[0] for one in ORDINARY])
def test_ordinary_work_is_not_hindered(one: Call) -> None:
    for who in (ALICE, DEPLOY, SSO, ROOT):
        assert not refused(who, one), who


# What of ours a service's calls are about, and how a call about others' would name it.
OURS = {
    "dynamodb": (TABLE, f"arn:aws:dynamodb:{HERE}:table/orders"),
    "lambda": (FUNCTION, f"arn:aws:lambda:{HERE}:function:shop"),
    "sqs": (QUEUE, f"arn:aws:sqs:{HERE}:orders"),
    "logs": (LOG, f"arn:aws:logs:{HERE}:log-group:/aws/lambda/shop"),
    "events": (RULE, f"arn:aws:events:{HERE}:rule/nightly"),
    "cloudtrail": (OUR_TRAIL, f"arn:aws:cloudtrail:{HERE}:trail/management-events"),
    "iam:TagRole": (REVOKER, DEPLOY),
    "iam:TagPolicy": (DENY, f"{IAM}:policy/team/x"),
}
BACKUP = f"{ROLES}/service-role/AWSBackupDefaultServiceRole"


def test_the_document_names_ordinary_work_that_is_refused_on_what_is_ours_alone() -> None:
    _, _, rest = GUARDRAIL_DOCUMENT.read_text().partition("## Ordinary work that it refuses")
    named = re.findall(r"`([a-z]+:[A-Z][A-Za-z]+)`", rest.partition("## ")[0])
    assert len(named) > 15
    for action in named:
        ours, others = OURS.get(action) or OURS[action.partition(":")[0]]
        for who in (BACKUP, DEPLOY):
            assert refused(who, call(action, ours)), action
            assert not refused(who, call(action, others)), action


def test_it_is_minified_and_small_enough_for_older_tools() -> None:
    text = COMMITTED.read_text(encoding="ascii")
    assert text == guardrail_json() + "\n"
    assert json.dumps(json.loads(text), separators=(",", ":")) + "\n" == text
    assert len(text) < LIMIT == 5_120
    assert AWS_LIMIT == 10_240


def test_it_only_denies_and_always_says_to_whom_not() -> None:
    statements: list[dict[str, Any]] = json.loads(guardrail_json())["Statement"]
    assert {one["Effect"] for one in statements} == {"Deny"}
    for one in statements:
        assert one["Condition"]["ArnNotLike"].keys() == {"aws:PrincipalArn"}
        assert not {"Principal", "NotPrincipal", "NotResource"} & one.keys()
        # Older Organizations take a wildcard at the end of an action alone.
        actions: Any = one.get("Action", one.get("NotAction"))
        names = actions if isinstance(actions, list) else [actions]
        assert all("*" not in name.rstrip("*") for name in names)


@pytest.mark.parametrize("pattern", ["role/*", "role/**", "role/?*", "user/x", "*", "role/a b", ""])
def test_a_break_glass_pattern_that_would_free_everybody_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"^--break-glass .*: write role/PATH/NAME"):
        guardrail_json(pattern)


def test_a_break_glass_role_elsewhere_is_kept_from_being_forged_too() -> None:
    policy = json.loads(guardrail_json("role/fire/axe"))
    both, axe = [ALLOW_ALL, policy], f"{ROLES}/fire/axe"
    assert decision(both, "iam:CreateRole", axe, principal=ALICE) == "Deny"
    asked = {"iam:PolicyARN": DENY}
    assert decision(both, "iam:DetachUserPolicy", ALICE, principal=axe, context=asked) == "Allow"
