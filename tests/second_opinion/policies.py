"""The policies that the two templates deploy, by the words that a trial uses for them."""

from __future__ import annotations

from typing import Any

from generator.render import Rendered
from tests.generator.documents import documents, trusts
from tests.generator.filling import ACCOUNT, Filling
from tests.generator.filling import central as fill_central
from tests.generator.filling import member as fill_member
from tests.second_opinion.evaluators import Document

HERE = f"us-east-1:{ACCOUNT}"
RULE = f"arn:aws:events:{HERE}:rule"
REPORTS_RULE = f"{RULE}/iam-org-revoker/iam-org-revoker-reports"
KEY = f"arn:aws:kms:{HERE}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
INCIDENT_TOPIC = f"arn:aws:sns:{HERE}:iam-org-revoker-incidents"
HEALTH_TOPIC = f"arn:aws:sns:{HERE}:iam-org-revoker-health"
OUR_ROLES = f"arn:aws:iam::{ACCOUNT}:role/iam-org-revoker"
NOTIFIER = f"{OUR_ROLES}/iam-org-revoker-notifier"

# Parameters, and what AWS answers for resources that the templates point to.
MEMBER = {
    "CallsRule.Arn": f"{RULE}/iam-org-revoker-calls",
    "CanaryRule.Arn": f"{RULE}/iam-org-revoker-canary",
    "Mode": "enforce",
    "TrailDestS3BucketName": "amzn-s3-demo-bucket",
}
CENTRAL = {
    "SweepRule.Arn": f"{RULE}/iam-org-revoker-sweep",
    "NotifierRole.Arn": NOTIFIER,
    "TopicKey.Arn": KEY,
    "IncidentTopic": INCIDENT_TOPIC,
    "HealthTopic": HEALTH_TOPIC,
    "ResponderPrincipals": "arn:*:iam::*:role/security/*",
}

# What another account may write into the policy of a function of our function's name.
OPEN: Document = {
    "Effect": "Allow",
    "Principal": {"AWS": f"{OUR_ROLES}/iam-org-revoker-responder"},
    "Action": "lambda:InvokeFunction",
    "Resource": "*",
}

Policies = dict[str, Document]
# The words of a trial -> the resource in the template that the policy stands in.
OF_MEMBER = {"dead letters": "DeadLettersPolicy", "state table": "State"}
OF_CENTRAL = {
    "reports queue": "ReportsPolicy",
    "reports dead letters": "DeadLettersPolicy",
    "incident topic": "IncidentTopicPolicy",
    "health topic": "HealthTopicPolicy",
    "key": "TopicKey",
}
MEMBER_ROLES = ("Revoker", "Forward", "Reconcile", "Trail", "Canary")
CENTRAL_ROLES = ("Notifier", "Responder")


def resource_policies(rendered: dict[str, Rendered]) -> Policies:
    """The resources' own policies, with trust policies and the functions' policies."""
    member, central = _member(rendered), _central(rendered)
    alone = fill_central(rendered["central"].tree, OrganizationId="", **CENTRAL)
    bus = _bus(central)
    found = {"bus": bus, "bus without an organization": _bus(alone)}
    found["bus, single-valued"] = single_valued(bus)
    found |= _named(member, OF_MEMBER) | _named(central, OF_CENTRAL)
    found["revoker function"] = _function(member, "Revoker", "iam-org-revoker")
    found["notifier function"] = _function(central, "Notifier", "iam-org-revoker-notifier")
    found["open function"] = _policy([OPEN])
    trusted = trusts(member) | trusts(central)
    return found | {
        f"trust of {role}": trusted[f"{role}Role"] for role in (*MEMBER_ROLES, *CENTRAL_ROLES)
    }


def identity_policies(rendered: dict[str, Rendered]) -> dict[str, tuple[Document, ...]]:
    """What each role may do by its own policies."""
    return {
        role: tuple(
            document for name, document in documents(filling) if name.startswith(f"{role}Role.")
        )
        for filling, roles in (
            (_member(rendered), MEMBER_ROLES),
            (_central(rendered), CENTRAL_ROLES),
        )
        for role in roles
    }


def single_valued(policy: Document) -> Document:
    """The policy with plain operators instead of set operators, and as AWS would read that."""
    return policy | {
        "Statement": [
            statement
            | {
                "Condition": {
                    operator.removeprefix("ForAllValues:"): keys
                    for operator, keys in statement["Condition"].items()
                }
            }
            for statement in policy["Statement"]
        ]
    }


def _member(rendered: dict[str, Rendered]) -> Filling:
    return fill_member(rendered["member"].tree, **MEMBER)


def _central(rendered: dict[str, Rendered]) -> Filling:
    return fill_central(rendered["central"].tree, **CENTRAL)


def _named(filling: Filling, names: dict[str, str]) -> Policies:
    written = dict(documents(filling))
    return {words: written[resource] for words, resource in names.items()}


def _of_type(filling: Filling, kind: str) -> list[dict[str, Any]]:
    made = filling.resources().values()
    return [body["Properties"] for body in made if body["Type"] == kind]


def _policy(statements: list[Document]) -> Document:
    return {"Version": "2012-10-17", "Statement": statements}


def _bus(filling: Filling) -> Document:
    """The statements that CloudFormation puts one by one: a bus has one policy."""
    return _policy([one["Statement"] for one in _of_type(filling, "AWS::Events::EventBusPolicy")])


def _function(filling: Filling, logical: str, name: str) -> Document:
    """A function's policy, as AddPermission writes it (Lambda Developer Guide, "Granting Lambda
    function access to AWS services")."""
    statements = []
    for given in _of_type(filling, "AWS::Lambda::Permission"):
        assert given["FunctionName"] == logical
        kind = "AWS" if given["Principal"].startswith("arn:") else "Service"
        conditions = {
            "ArnLike": {"aws:SourceArn": given.get("SourceArn")},
            "StringEquals": {"aws:SourceAccount": given.get("SourceAccount")},
        }
        statements.append(
            {
                "Effect": "Allow",
                "Principal": {kind: given["Principal"]},
                "Action": given["Action"],
                "Resource": f"arn:aws:lambda:{HERE}:function:{name}",
                "Condition": {
                    operator: keys
                    for operator, keys in conditions.items()
                    if None not in keys.values()
                },
            }
        )
    return _policy(statements)
