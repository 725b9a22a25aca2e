"""What CloudFormation does in somebody's name, against the permissions that its registry lists.

The registry's schemas come with cfn-lint. That a role with such a policy deploys is not tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from stacksets.cli.common import read_release
from stacksets.permissions.operator import Place, document
from tests.generator.documents import Document, listed
from tests.generator.policy.service_reference import expand, fits

RELEASE = read_release(Path(__file__).parents[3] / "templates")
TYPES = {
    one["Type"]
    for template in (RELEASE.member, RELEASE.central)
    for one in template.document["Resources"].values()
}
# What the registry lists for properties that our templates do not set.
UNUSED = {
    "(ec2|elasticfilesystem|s3files):.*": "functions in a VPC, or with a file system",
    "lambda:(AssociateRuntimeAlias|GetLayerVersion|PassCapacityProvider)": "layers, runtimes",
    "lambda:GetCodeSigningConfig": "signed code",
    "s3:GetObjectVersion": "code by its version",
    "kinesis:.*|s3:(GetObjectMetadata|ListBucket)": "a table's stream, or its import",
    "firehose:.*|logs:CreateLogDelivery|s3:REST.PUT.OBJECT": "logs delivered elsewhere",
    "logs:(Put|Delete)(Index|Resource)Policy": "the index and the policy of a log group",
    "iam:(Attach|Detach)UserPolicy": "a policy attached to users: ours is attached to a group",
    "organizations:.*": "the trail of an Organization",
    "kms:ReEncrypt": "no action: it means ReEncryptFrom and ReEncryptTo, of an encrypted bus",
}
# For reading, too: a comparison passes no role and decrypts nothing that we set.
READING = {"iam:PassRole": "targets of rules", "kms:Decrypt": "an encrypted environment"}


def lacking(policy: Document, *handlers: str) -> Iterator[str]:
    """Yield what the registry lists for those handlers of our types, and the policy does not
    allow on any resource that the action knows."""
    for kind in TYPES:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
        for name in handlers:
            for action in schema["handlers"].get(name, {"permissions": ()})["permissions"]:
                if not any(allows(policy, one) for one in expand(action)):
                    yield action


def allows(policy: Document, action: str) -> bool:
    return any(
        action in expand(pattern) and fits(action, resource)
        for statement in policy["Statement"]
        for pattern in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    )


@pytest.mark.parametrize(
    ("place", "handlers", "excused"),
    [
        (Place.SERVICE_ROLE, ("create", "read", "update", "delete"), UNUSED),
        (Place.COMPARING, ("read",), READING),
    ],
)
def test_a_policy_has_all_that_the_registry_lists_for_our_resources(
    place: Place, handlers: tuple[str, ...], excused: dict[str, str]
) -> None:
    missing = {*lacking(document(place), *handlers)}
    assert missing
    matched = {one: [each for each in excused if re.fullmatch(each, one)] for one in missing}
    assert [one for one, by in matched.items() if not by] == []
    assert {each for by in matched.values() for each in by} == excused.keys()


def test_an_action_without_a_resource_is_not_allowed_by_the_name_of_one() -> None:
    """As the policy of the service role had it."""
    buses = {"Action": "events:*", "Resource": "arn:aws:events:*:*:event-bus/iam-org-revoker"}
    assert allows({"Statement": [buses]}, "events:DescribeEventBus")
    assert not allows({"Statement": [buses]}, "events:PutPermission")
    assert allows({"Statement": [{**buses, "Resource": "*"}]}, "events:PutPermission")
