"""The policy documents of both templates, filled in so that every statement is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.render import Rendered
from tests.generator.filling import ACCOUNT, Filling
from tests.generator.filling import central as fill_central
from tests.generator.filling import member as fill_member

DENY = f"arn:aws:iam::{ACCOUNT}:policy/iam-org-revoker/iam-org-revoker-deny"


GROUP = f"arn:aws:iam::{ACCOUNT}:group/iam-org-revoker/iam-org-revoker-denied"


ROLE = f"arn:aws:iam::{ACCOUNT}:role/iam-org-revoker/iam-org-revoker"


FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:iam-org-revoker"


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
            statement = {"Sid": properties["StatementId"], **properties["Statement"]}
            yield name, {"Version": "2012-10-17", "Statement": [statement]}


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


READS = ("Get", "BatchGet", "List", "Query", "Scan")
