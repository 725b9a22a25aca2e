"""The role of the security team's responder, in the central account. Invokes nothing."""

from __future__ import annotations

from troposphere import GetAtt, Output, Template, iam

from generator.central.policies import RESPONDER_ALWAYS
from generator.policy.intrinsics import filled
from generator.policy.statements import Statement, document
from handler.model.names import IAM_PATH, RESPONDER_ROLE

SECURITY_TEAM = Statement(
    sid="SecurityTeamMaySitHere",
    why="Principals of this account that may assume roles and fit ResponderPrincipals.",
    actions=("sts:AssumeRole",),
    principal={"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"},
    conditions={"ArnLike": {"aws:PrincipalArn": "${ResponderPrincipals}"}},
)


def add_responder_role(template: Template) -> None:
    """Add the one role that each revoker's own policy names, and its ARN as an output.

    It must exist before the first member stack: Lambda looks up whom it lets in.
    """
    template.add_resource(
        iam.Role(
            "ResponderRole",
            RoleName=RESPONDER_ROLE,
            Path=IAM_PATH,
            Description="The security team's responder: asks revokers to list, release, self-test.",
            AssumeRolePolicyDocument=filled(document([SECURITY_TEAM])),
            Policies=[
                iam.Policy(
                    PolicyName="responder", PolicyDocument=filled(document(RESPONDER_ALWAYS))
                )
            ],
        )
    )
    template.add_output(
        Output(
            "ResponderRoleArn",
            Description="Assume it for python -m responder list, show, release, ledger, self-test",
            Value=GetAtt("ResponderRole", "Arn"),
        )
    )
