"""The table of a member account: ledger, marks, what is contained and how. Fills in no item."""

from __future__ import annotations

from troposphere import Template, dynamodb

from generator.member.resource_policies import STATE_TABLE_POLICY
from generator.policy.intrinsics import filled
from generator.policy.statements import document
from handler.model.names import STATE_TABLE


def add_state(template: Template) -> None:
    """Add the table.

    Deleted with its stack: a retained table with a fixed name would stop the next installation.
    That loses no containment, since the stack's deletion fails at the deny while anybody bears it,
    and what the deny waits for (the function, and so this table) stays until then.
    """
    template.add_resource(
        dynamodb.Table(
            "State",
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Delete",
            TableName=STATE_TABLE,
            AttributeDefinitions=[
                dynamodb.AttributeDefinition(AttributeName="pk", AttributeType="S")
            ],
            KeySchema=[dynamodb.KeySchema(AttributeName="pk", KeyType="HASH")],
            BillingMode="PAY_PER_REQUEST",
            TimeToLiveSpecification=dynamodb.TimeToLiveSpecification(
                AttributeName="expires_at", Enabled=True
            ),
            PointInTimeRecoverySpecification=dynamodb.PointInTimeRecoverySpecification(
                PointInTimeRecoveryEnabled=True
            ),
            # Sealed by a key of DynamoDB's own, its default: the account's key would cost a request
            # to KMS with each reconciliation, a sixth of all that an idle account costs.
            ResourcePolicy=dynamodb.ResourcePolicy(
                PolicyDocument=filled(document(STATE_TABLE_POLICY))
            ),
        )
    )
