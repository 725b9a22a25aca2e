"""Every policy of both templates: valid IAM, nothing that grants, and a bus that is not open."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from parliament import analyze_policy_string

from generator.render import Rendered
from handler.deny import deny_document, session_deny_document
from tests.generator.filling import ACCOUNT, BUS, Filling
from tests.generator.filling import central as fill_central
from tests.generator.filling import member as fill_member

DENY = f"arn:aws:iam::{ACCOUNT}:policy/iam-org-revoker/iam-org-revoker-deny"
GROUP = f"arn:aws:iam::{ACCOUNT}:group/iam-org-revoker/iam-org-revoker-denied"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/iam-org-revoker/iam-org-revoker"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:iam-org-revoker"

# What parliament says of our policies, where (the document), and why we leave it so.
EXCEPTIONS = {
    # A key of every call that Lambda's role credentials sign, on any action; parliament's data
    # knows it for Lambda's own actions only.
    # https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
    ("UNKNOWN_CONDITION_FOR_ACTION", "lambda:SourceFunctionArn", "RevokerRole.always"),
    ("UNKNOWN_CONDITION_FOR_ACTION", "lambda:SourceFunctionArn", "RevokerRole.enforcing"),
    ("UNKNOWN_CONDITION_FOR_ACTION", "lambda:SourceFunctionArn", "RevokerRole.inline-deny"),
    # parliament calls the key an ARN, IAM's own documentation compares it with StringEquals, and an
    # exact ARN compares alike either way.
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    (
        "MISMATCHED_TYPE_BUT_USABLE",
        "StringEquals requires a value of type String but given Arn",
        "RevokerRole.enforcing",
    ),
    # In a key's own policy, * is that key and nothing else.
    # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
    ("RESOURCE_STAR", "kms:Decrypt", "TopicKey"),
}

Document = dict[str, Any]


def fillings(rendered: dict[str, Rendered]) -> dict[str, Filling]:
    """Each template in the settings that bring out every statement."""
    member, central = rendered["member"].tree, rendered["central"].tree
    topic = {
        "SNSTopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:security",
        "SNSTopicKmsKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234",
    }
    return {
        "observing": fill_member(member),
        "enforcing": fill_member(
            member, Mode="enforce", InlineDeny="allow", TrailDestS3BucketName="amzn-s3-demo-bucket"
        ),
        "organization": fill_central(central),
        "alone": fill_central(central, OrganizationId=""),
        "own topic": fill_central(central, Email="", **topic),
    }


def documents(filling: Filling) -> Iterator[tuple[str, Document]]:
    """Every policy document that is not a trust policy, with the resource it stands in."""
    for name, body in filling.resources().items():
        properties = body["Properties"]
        for policy in properties.get("Policies", ()):
            yield f"{name}.{policy['PolicyName']}", policy["PolicyDocument"]
        for key in ("PolicyDocument", "KeyPolicy"):
            if key in properties:
                yield name, properties[key]
        if "ResourcePolicy" in properties:
            yield name, properties["ResourcePolicy"]["PolicyDocument"]
        if "Statement" in properties:
            yield name, {"Version": "2012-10-17", "Statement": [properties["Statement"]]}


def statements(filling: Filling, resource: str) -> list[Document]:
    """The statements of one role's inline policies, in order."""
    return [
        statement
        for name, document in documents(filling)
        if name.startswith(f"{resource}.")
        for statement in document["Statement"]
    ]


def trusts(filling: Filling) -> dict[str, Document]:
    return {
        name: body["Properties"]["AssumeRolePolicyDocument"]
        for name, body in filling.resources().items()
        if "AssumeRolePolicyDocument" in body["Properties"]
    }


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_parliament_finds_nothing_but_the_written_exceptions(
    rendered: dict[str, Rendered],
) -> None:
    seen = set()
    for filling in fillings(rendered).values():
        for name, document in documents(filling):
            for finding in analyze_policy_string(json.dumps(document)).findings:
                matched = {
                    (issue, detail, where)
                    for issue, detail, where in EXCEPTIONS
                    if (issue, where) == (finding.issue, name) and detail in finding.detail
                }
                assert matched, (name, finding.issue, finding.detail)
                seen |= matched
    assert seen == EXCEPTIONS


def test_parliament_would_find_an_action_that_does_not_exist(member: Rendered) -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "iam:AttachUsrPolicy", "Resource": "*"}],
    }
    assert analyze_policy_string(json.dumps(document)).findings


def test_every_statement_has_a_sid_of_its_own(rendered: dict[str, Rendered]) -> None:
    for filling in fillings(rendered).values():
        for name, document in documents(filling):
            sids = [statement["Sid"] for statement in document["Statement"]]
            assert all(sid.isalnum() for sid in sids), name
            assert len(sids) == len(set(sids)), name


def test_each_role_trusts_one_aws_service_but_the_desk_and_the_canary_nobody(
    rendered: dict[str, Rendered],
) -> None:
    found: dict[str, Any] = {}
    for filling in fillings(rendered).values():
        for name, document in trusts(filling).items():
            (statement,) = document["Statement"]
            assert statement["Action"] == "sts:AssumeRole"
            del statement["Sid"], statement["Action"]
            found[name] = statement
    in_this_account = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    assert found == {
        "RevokerRole": _trusted({"Service": "lambda.amazonaws.com"}),
        "ForwardRole": _trusted({"Service": "events.amazonaws.com"}),
        "PatrolRole": _trusted({"Service": "scheduler.amazonaws.com"}, in_this_account),
        "TrailRole": _trusted({"Service": "cloudtrail.amazonaws.com"}),
        "NotifierRole": _trusted({"Service": "lambda.amazonaws.com"}),
        "CanaryRole": {"Effect": "Deny", "Principal": {"AWS": "*"}},
        "DeskRole": _trusted(
            {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            {"ArnLike": {"aws:PrincipalArn": "arn:*:iam::*:*"}},
        ),
    }


def _trusted(principal: Document, condition: Document | None = None) -> Document:
    more = {"Condition": condition} if condition else {}
    return {"Effect": "Allow", "Principal": principal, **more}


def test_the_canary_may_do_nothing_and_the_desk_asks_revokers_of_this_organization_alone(
    rendered: dict[str, Rendered],
) -> None:
    assert (
        "Policies"
        not in fill_member(rendered["member"].tree).resources()["CanaryRole"]["Properties"]
    )

    def ask(side: str) -> Document:
        asked, read = statements(fillings(rendered)[side], "DeskRole")
        assert read["Resource"].endswith(":table/iam-org-revoker-incidents")
        assert all(a.split(":")[1].startswith(READS) for a in read["Action"])
        return asked

    wanted = {
        "Sid": "AskRevokers",
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": "arn:aws:lambda:*:*:function:iam-org-revoker",
    }
    ours = {"StringEquals": {"aws:ResourceOrgID": "o-exampleorgid"}}
    alone = {"StringEquals": {"aws:ResourceAccount": ACCOUNT}}
    assert ask("organization") == wanted | {"Condition": ours}
    assert ask("alone") == wanted | {"Condition": alone}


def test_the_revoker_admits_one_role_of_the_central_account(member: Rendered) -> None:
    bus = "arn:aws-cn:events:cn-north-1:444455556666:event-bus/iam-org-revoker"
    filling = fill_member(member.tree, CentralBusArn=bus, **{"AWS::Partition": "aws-cn"})
    assert filling.resources()["DeskMayInvoke"]["Properties"] == {
        "FunctionName": "Revoker",
        "Action": "lambda:InvokeFunction",
        "Principal": "arn:aws-cn:iam::444455556666:role/iam-org-revoker/iam-org-revoker-desk",
    }


READS = ("Get", "BatchGet", "List", "Query", "Scan")
# What it writes even in observe mode: its own log, table, queue and canary.
OBSERVED_WRITES = {
    "dynamodb:DeleteItem": "table/iam-org-revoker-state",
    "dynamodb:PutItem": "table/iam-org-revoker-state",
    "dynamodb:UpdateItem": "table/iam-org-revoker-state",
    "events:PutEvents": "event-bus/iam-org-revoker",
    "iam:TagRole": "role/iam-org-revoker/iam-org-revoker-canary",
    "logs:CreateLogStream": "log-group:/aws/lambda/iam-org-revoker:*",
    "logs:PutLogEvents": "log-group:/aws/lambda/iam-org-revoker:*",
    "sqs:DeleteMessage": "iam-org-revoker-dead-letters",
    "sqs:ReceiveMessage": "iam-org-revoker-dead-letters",
    "sqs:SendMessage": "iam-org-revoker-dead-letters",
}
OBSERVED_ACTIONS = OBSERVED_WRITES.keys() | {
    "cloudtrail:DescribeTrails",
    "cloudtrail:GetTrailStatus",
    "cloudtrail:LookupEvents",
    "dynamodb:BatchGetItem",
    "dynamodb:Scan",
    "events:DescribeRule",
    "iam:GetRolePolicy",
    "iam:GetUserPolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListAttachedUserPolicies",
    "iam:ListGroupsForUser",
    "sqs:GetQueueAttributes",
    "iam:GetGroup",
    "iam:GetUser",
    "iam:GetRole",
    "iam:ListUsers",
    "iam:ListRoles",
    "iam:ListAccountAliases",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:ListAttachedGroupPolicies",
    "iam:ListGroupPolicies",
}


@pytest.mark.parametrize("inline", ["never", "allow"])
def test_an_observing_revoker_writes_nothing_in_iam_but_tags_on_its_canary(
    member: Rendered, inline: str
) -> None:
    observing = fill_member(member.tree, Mode="observe", InlineDeny=inline)
    actions = {
        action
        for statement in statements(observing, "RevokerRole")
        for action in listed(statement["Action"])
    }
    assert actions == OBSERVED_ACTIONS
    written = {
        action: statement["Resource"].split(f"{ACCOUNT}:")[1]
        for statement in statements(observing, "RevokerRole")
        for action in listed(statement["Action"])
        if action in OBSERVED_WRITES
    }
    assert written == OBSERVED_WRITES


def test_an_enforcing_revoker_may_write_these_and_only_under_these_conditions(
    member: Rendered,
) -> None:
    enforcing = fill_member(member.tree, Mode="enforce")
    written = [
        (sorted(listed(s["Action"])), s["Resource"], s["Condition"])
        for s in statements(enforcing, "RevokerRole")
        if not set(listed(s["Action"])) <= OBSERVED_ACTIONS | {"iam:ListEntitiesForPolicy"}
    ]
    ours = {"ArnEquals": {"lambda:SourceFunctionArn": FUNCTION}}
    only_deny = {"ArnEquals": {"iam:PolicyARN": DENY, "lambda:SourceFunctionArn": FUNCTION}}
    either = {"iam:PolicyARN": [DENY, f"{DENY}-sessions"], "lambda:SourceFunctionArn": FUNCTION}
    users = f"arn:aws:iam::{ACCOUNT}:user/*"
    groups = f"arn:aws:iam::{ACCOUNT}:group"
    assert written == [
        (["iam:AttachUserPolicy", "iam:DetachUserPolicy"], users, {"ArnEquals": either}),
        (
            ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
            f"arn:aws:iam::{ACCOUNT}:role/*",
            only_deny,
        ),
        (
            ["iam:AddUserToGroup", "iam:RemoveUserFromGroup"],
            GROUP,
            ours,
        ),
        (
            ["iam:PutRolePermissionsBoundary"],
            f"arn:aws:iam::{ACCOUNT}:role/*",
            {
                "StringEquals": {"iam:PermissionsBoundary": DENY},
                **ours,
            },
        ),
        (
            [
                "iam:UpdateAccessKey",
                "iam:UpdateSSHPublicKey",
                "iam:UpdateServiceSpecificCredential",
                "iam:UpdateSigningCertificate",
            ],
            users,
            ours,
        ),
        (["iam:DeleteLoginProfile"], users, ours),
        (
            ["iam:RemoveUserFromGroup"],
            [f"{groups}/Administrators", f"{groups}/*/Administrators"],
            ours,
        ),
    ]


def test_the_inline_deny_is_a_permission_only_where_mode_and_parameter_both_ask_for_it(
    member: Rendered,
) -> None:
    def may_put_inline(**given: str) -> bool:
        found = statements(fill_member(member.tree, **given), "RevokerRole")
        return any("iam:PutUserPolicy" in listed(statement["Action"]) for statement in found)

    assert may_put_inline(Mode="enforce", InlineDeny="allow")
    assert not may_put_inline(Mode="enforce", InlineDeny="never")
    assert not may_put_inline(Mode="observe", InlineDeny="allow")


@pytest.mark.parametrize("everything", [False, True])
def test_the_template_makes_the_denies_that_the_revoker_takes_for_its_own(
    member: Rendered, everything: bool
) -> None:
    scope = "everything" if everything else "iam"
    resources = fill_member(member.tree, DenyScope=scope).resources()
    whole, sessions = (
        resources[name]["Properties"]["PolicyDocument"]
        for name in ("DenyPolicy", "SessionDenyPolicy")
    )
    assert whole == deny_document(everything=everything)
    assert sessions == session_deny_document(everything=everything)
    assert (whole["Statement"][0]["Action"] == "*") is everything


def test_only_the_revoker_writes_items_of_its_table_and_people_may_still_delete_the_stack(
    member: Rendered,
) -> None:
    table = fill_member(member.tree).resources()["State"]["Properties"]
    (statement,) = table["ResourcePolicy"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": ROLE}}
    assert sorted(statement["Action"]) == [
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:PartiQLDelete",
        "dynamodb:PartiQLInsert",
        "dynamodb:PartiQLUpdate",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
    ]


def test_the_deny_policy_and_its_group_hold_the_deny_and_nobody(member: Rendered) -> None:
    resources = fill_member(member.tree).resources()
    policy, group = resources["DenyPolicy"]["Properties"], resources["DenyGroup"]["Properties"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Resource"]) == ("Deny", "*")
    assert "iam:*" in statement["Action"]
    assert not {"Users", "Roles", "Groups"} & policy.keys()
    assert group.keys() == {"GroupName", "Path", "ManagedPolicyArns"}


# ---- the bus


def open_statements(tree: Document, **given: str) -> list[str]:
    """The statements by which somebody but our two roles could put events on the bus; [] if none.

    The rule: every Allow binds the principal's role and its organization or account, and its
    source; and one Deny without any other condition keeps out everybody but the two roles.
    """
    filling = Filling(tree, **given)
    found = {
        name: body["Properties"]["Statement"]
        for name, body in filling.resources().items()
        if body["Type"] == "AWS::Events::EventBusPolicy"
    }
    roles = {
        "arn:aws:iam::*:role/iam-org-revoker/iam-org-revoker",
        "arn:aws:iam::*:role/iam-org-revoker/iam-org-revoker-forward",
    }
    bad = [
        name
        for name, statement in found.items()
        if statement["Effect"] == "Allow" and not _binds_caller(statement, roles, given)
    ]
    denies = [
        statement["Condition"]
        for statement in found.values()
        if statement["Effect"] == "Deny" and statement["Principal"] == "*"
    ]
    if not any(
        list(d) == ["ArnNotLike"] and set(listed(d["ArnNotLike"]["aws:PrincipalArn"])) == roles
        for d in denies
    ):
        bad.append("no Deny of everybody else")
    return bad


def _binds_caller(statement: Document, roles: set[str], given: dict[str, str]) -> bool:
    condition = statement.get("Condition", {})
    equals = condition.get("StringEquals", {})
    organization = given.get("OrganizationId", "")
    whose = (
        {"aws:PrincipalOrgID": organization} if organization else {"aws:PrincipalAccount": ACCOUNT}
    )
    source = condition.get("StringLike", {}).get("events:source", "*")
    return (
        equals == whose
        and set(listed(condition.get("ArnLike", {}).get("aws:PrincipalArn", "*"))) < roles
        and source in ("iam-org-revoker", "aws.*")
        and statement["Action"] == "events:PutEvents"
        and statement["Resource"] == BUS
    )


BOTH = [{"OrganizationId": "o-exampleorgid"}, {"OrganizationId": ""}]


@pytest.mark.parametrize("given", BOTH)
def test_the_bus_is_not_open(central: Rendered, given: dict[str, str]) -> None:
    assert open_statements(central.tree, Email="security@example.com", **given) == []


def _without_organization(resources: Document) -> None:
    del resources["BusAllowReports"]["Properties"]["Statement"]["Condition"]["StringEquals"]


def _any_role(resources: Document) -> None:
    condition = resources["BusAllowForwards"]["Properties"]["Statement"]["Condition"]
    condition["ArnLike"]["aws:PrincipalArn"] = "*"


def _any_source(resources: Document) -> None:
    condition = resources["BusAllowReports"]["Properties"]["Statement"]["Condition"]
    condition["StringLike"]["events:source"] = "*"


def _more_actions(resources: Document) -> None:
    resources["BusAllowReports"]["Properties"]["Statement"]["Action"] = "events:*"


def _no_deny(resources: Document) -> None:
    del resources["BusDenyEverybodyElse"]


def _a_deny_with_a_way_out(resources: Document) -> None:
    condition = resources["BusDenyEverybodyElse"]["Properties"]["Statement"]["Condition"]
    condition["ArnNotLike"]["aws:PrincipalArn"].append("arn:aws:iam::*:role/*")


@pytest.mark.parametrize("given", BOTH)
@pytest.mark.parametrize(
    ("opened", "found"),
    [
        (_without_organization, ["BusAllowReports"]),
        (_any_role, ["BusAllowForwards"]),
        (_any_source, ["BusAllowReports"]),
        (_more_actions, ["BusAllowReports"]),
        (_no_deny, ["no Deny of everybody else"]),
        (_a_deny_with_a_way_out, ["no Deny of everybody else"]),
    ],
)
def test_that_rule_fails_on_a_bus_that_was_opened(
    central: Rendered, given: dict[str, str], opened: Any, found: list[str]
) -> None:
    tree = copy.deepcopy(central.tree)
    opened(tree["Resources"])
    assert open_statements(tree, Email="security@example.com", **given) == found


def test_only_our_rules_may_put_into_the_queues(rendered: dict[str, Rendered]) -> None:
    rule = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/"
    found = {}
    for side in ("observing", "organization"):
        for name, document in documents(fillings(rendered)[side]):
            if "Policy" in name and document["Statement"][0]["Action"] == "sqs:SendMessage":
                statement, *others = document["Statement"]
                assert {other["Effect"] for other in others} <= {"Deny"}
                assert statement["Principal"] == {"Service": "events.amazonaws.com"}
                found[f"{side} {name}"] = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert found == {
        "observing DeadLettersPolicy": [
            f"{rule}iam-org-revoker-calls",
            f"{rule}iam-org-revoker-canary",
            f"{rule}iam-org-revoker-tamper",
            f"{rule}iam-org-revoker-tamper-stores",
        ],
        "organization ReportsPolicy": f"{rule}iam-org-revoker/iam-org-revoker-reports",
        "organization DeadLettersPolicy": f"{rule}iam-org-revoker/iam-org-revoker-reports",
    }


def test_the_notifier_may_do_this_and_on_these_resources(rendered: dict[str, Rendered]) -> None:
    def allowed(side: str) -> dict[str, Any]:
        found = statements(fillings(rendered)[side], "NotifierRole")
        return {" ".join(listed(s["Action"])): s["Resource"] for s in found}

    here = f"us-east-1:{ACCOUNT}"
    always = {
        "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes": (
            f"arn:aws:sqs:{here}:iam-org-revoker-reports"
        ),
        "dynamodb:BatchGetItem dynamodb:PutItem dynamodb:UpdateItem": (
            f"arn:aws:dynamodb:{here}:table/iam-org-revoker-incidents"
        ),
        "dynamodb:Scan": f"arn:aws:dynamodb:{here}:table/iam-org-revoker-incidents/index/due",
        "sns:ListSubscriptionsByTopic": [
            f"arn:aws:sns:{here}:iam-org-revoker-incidents",
            f"arn:aws:sns:{here}:iam-org-revoker-health",
        ],
        "cloudwatch:PutMetricData": "*",
        "logs:CreateLogStream logs:PutLogEvents": (
            f"arn:aws:logs:{here}:log-group:/aws/lambda/iam-org-revoker-notifier:*"
        ),
    }
    assert allowed("organization") == always | {
        "sns:Publish": f"arn:aws:sns:{here}:IncidentTopic",
        "kms:Decrypt kms:GenerateDataKey*": f"arn:aws:kms:{here}:key/TopicKey",
    }
    assert allowed("own topic") == always | {
        "sns:Publish": f"arn:aws:sns:{here}:security",
        "kms:Decrypt kms:GenerateDataKey*": f"arn:aws:kms:{here}:key/1234",
    }
