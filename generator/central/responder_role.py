"""The role with which the security team's desk works, in the central account. Invokes nothing."""

from __future__ import annotations

from troposphere import GetAtt, Output, Template, iam

from generator.central.policies import DESK_ALWAYS
from generator.policy.intrinsics import filled
from generator.policy.statements import Statement, document
from handler.model.names import DESK_ROLE, IAM_PATH

SECURITY_TEAM = Statement(
    sid="SecurityTeamMaySitHere",
    why="Principals of this account that may assume roles and fit DeskPrincipals.",
    actions=("sts:AssumeRole",),
    principal={"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"},
    conditions={"ArnLike": {"aws:PrincipalArn": "${DeskPrincipals}"}},
)


def add_desk_role(template: Template) -> None:
    """Add the one role that each revoker's own policy names, and its ARN as an output.

    It must exist before the first member stack: Lambda looks up whom it lets in.
    """
    template.add_resource(
        iam.Role(
            "DeskRole",
            RoleName=DESK_ROLE,
            Path=IAM_PATH,
            Description="The security team's desk: it asks revokers to list, release and drill.",
            AssumeRolePolicyDocument=filled(document([SECURITY_TEAM])),
            Policies=[iam.Policy(PolicyName="desk", PolicyDocument=filled(document(DESK_ALWAYS)))],
        )
    )
    template.add_output(
        Output(
            "DeskRoleArn",
            Description="Assume it for python -m responder list, show, release, roster, drill",
            Value=GetAtt("DeskRole", "Arn"),
        )
    )
