"""What takes IAM away in a member account: two managed policies, and a group that carries each.

Attached to nobody.
"""

from __future__ import annotations

from typing import Any

from troposphere import Equals, If, Ref, Template, iam

from handler.model.deny_policy import deny_document, session_deny_document
from handler.model.names import (
    DENY_GROUP,
    DENY_POLICY,
    IAM_PATH,
    SESSION_DENY_GROUP,
    SESSION_DENY_POLICY,
)

EVERYTHING = "DenyEverything"
# Who is contained holds these back: the stack's deletion then fails here, before it takes the way
# by which the responder releases. CloudFormation deletes what depends first.
RELEASED_BY = ("ResponderMayInvoke",)


def add_deny(template: Template) -> None:
    """Add the policies and the groups; lists of users and roles stay absent.

    CloudFormation would fight the revoker's own attachments. A policy's description can never be
    changed: it says only what will stay true.
    """
    template.add_condition(EVERYTHING, Equals(Ref("DenyScope"), "everything"))
    template.add_resource(
        iam.ManagedPolicy(
            "DenyPolicy",
            DependsOn=list(RELEASED_BY),
            ManagedPolicyName=DENY_POLICY,
            Path=IAM_PATH,
            Description="Takes IAM away from whoever called it without being an IAM administrator.",
            PolicyDocument=_either(deny_document(), deny_document(everything=True)),
        )
    )
    template.add_resource(
        iam.ManagedPolicy(
            "SessionDenyPolicy",
            DependsOn=list(RELEASED_BY),
            ManagedPolicyName=SESSION_DENY_POLICY,
            Path=IAM_PATH,
            Description="The same for temporary sessions alone: a user's long-term keys stay good.",
            PolicyDocument=_either(session_deny_document(), session_deny_document(everything=True)),
        )
    )
    for title, name, policy in (
        ("DenyGroup", DENY_GROUP, "DenyPolicy"),
        ("SessionDenyGroup", SESSION_DENY_GROUP, "SessionDenyPolicy"),
    ):
        template.add_resource(
            iam.Group(title, GroupName=name, Path=IAM_PATH, ManagedPolicyArns=[Ref(policy)])
        )


def _either(narrow: Any, wide: Any) -> Any:
    """One document of both, which differ in actions alone: the parameter DenyScope chooses."""
    if isinstance(narrow, dict) and isinstance(wide, dict) and narrow.keys() == wide.keys():
        return {
            key: If(EVERYTHING, wide[key], narrow[key])
            if key == "Action"
            else _either(narrow[key], wide[key])
            for key in narrow
        }
    if isinstance(narrow, list) and isinstance(wide, list) and len(narrow) == len(wide):
        return [_either(one, other) for one, other in zip(narrow, wide, strict=True)]
    if narrow != wide:
        raise ValueError(f"the two scopes of the deny differ beyond their actions: {narrow!r}")
    return narrow
