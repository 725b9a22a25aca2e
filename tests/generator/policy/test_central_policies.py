"""The central account: a closed bus, queues of our rules alone, and what the notifier may do."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from generator.render import Rendered
from tests.generator.documents import (
    Document,
    documents,
    fillings,
    listed,
    statements,
)
from tests.generator.filling import ACCOUNT, BUS, Filling


def open_statements(tree: Document, **given: str) -> list[str]:
    """The statements by which somebody but our two roles could put events on the bus; [] if none.

    The rule: every Allow binds the principal's role and its organization or account, and every
    source, which a report must name; and one Deny without any other condition keeps out everybody
    but the two roles.
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
    source = condition.get("ForAllValues:StringLike", {}).get("events:source", "*")
    named = condition.get("Null") == {"events:source": "false"}
    return (
        equals == whose
        and set(listed(condition.get("ArnLike", {}).get("aws:PrincipalArn", "*"))) < roles
        and (source, named) in (("iam-org-revoker", True), ("aws.*", False))
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
    condition["ForAllValues:StringLike"]["events:source"] = "*"


def _no_source(resources: Document) -> None:
    del resources["BusAllowReports"]["Properties"]["Statement"]["Condition"]["Null"]


def _more_actions(resources: Document) -> None:
    resources["BusAllowReports"]["Properties"]["Statement"]["Action"] = "events:*"


def _no_deny(resources: Document) -> None:
    del resources["BusDenyEverybodyElse"], resources["BusAllowReports"]["DependsOn"]


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
        (_no_source, ["BusAllowReports"]),
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


def test_the_statements_of_the_bus_are_put_one_after_the_other(central: Rendered) -> None:
    """Each is merged into one policy, and CloudFormation knows its id once in an account."""
    made = {
        name: body
        for name, body in central.tree["Resources"].items()
        if body["Type"] == "AWS::Events::EventBusPolicy"
    }
    after = {name: body.get("DependsOn", []) for name, body in made.items()}
    assert after == {
        "BusDenyEverybodyElse": [],
        "BusAllowReports": ["BusDenyEverybodyElse"],
        "BusAllowForwards": ["BusAllowReports"],
    }
    for body in made.values():
        assert body["Properties"]["StatementId"].startswith("IamOrgRevoker")


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
