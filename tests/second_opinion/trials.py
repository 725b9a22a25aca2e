"""A trial: one request on a resource of ours, with the verdict that the product needs on AWS.

The condition keys of a principal and of an AWS service are filled in here, those of the request
stand in the trial (IAM User Guide, "AWS global condition context keys").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.generator.filling import ACCOUNT
from tests.second_opinion.evaluators import Document, Keys, Question

ORGANIZATION = "o-exampleorgid"
# In our organization beside ACCOUNT, which holds the central stack and one of a member.
OTHER_MEMBER = "222233334444"
# In an organization of its own.
STRANGER = "999988887777"
ORGANIZATIONS = {ACCOUNT: ORGANIZATION, OTHER_MEMBER: ORGANIZATION, STRANGER: "o-strangerorg"}

EVERYTHING: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
NOTHING: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}],
}


@dataclass(frozen=True)
class Trial:
    """`policy` names the resource's own, "" for none; `identity` whose role's policies the caller
    has: "everything", "nothing", or a role of ours. A service has none."""

    title: str
    who: str
    action: str
    resource: str
    verdict: str
    policy: str = ""
    identity: str = "everything"
    keys: Keys = field(default_factory=dict)

    def question(
        self, policies: Mapping[str, Document], identities: Mapping[str, tuple[Document, ...]]
    ) -> Question:
        """The request with the deployed policies."""
        known = {"everything": (EVERYTHING,), "nothing": (NOTHING,), **identities}
        service = self.who.endswith(".amazonaws.com")
        owner = ACCOUNT if self.resource == "*" else self.resource.split(":")[4]
        return Question(
            who=self.who,
            action=self.action,
            resource=self.resource,
            owner=owner,
            keys={**uploaded(self.who, owner), **self.keys},
            identity=() if service else known[self.identity],
            policy=policies[self.policy] if self.policy else None,
        )


def uploaded(who: str, owner: str) -> dict[str, str]:
    """The global condition keys of each request on a resource of an account."""
    of_resource = {"aws:ResourceAccount": owner, "aws:ResourceOrgID": ORGANIZATIONS[owner]}
    if who.endswith(".amazonaws.com"):
        return {
            "aws:PrincipalIsAWSService": "true",
            "aws:PrincipalServiceName": who,
            **of_resource,
        }
    account = who.split(":")[4]
    return {
        "aws:PrincipalArn": who,
        "aws:PrincipalAccount": account,
        "aws:PrincipalOrgID": ORGANIZATIONS[account],
        "aws:PrincipalIsAWSService": "false",
        **of_resource,
    }


def role(name: str, account: str = ACCOUNT) -> str:
    """The ARN of a role by its path and name."""
    return f"arn:aws:iam::{account}:role/{name}"


def our_role(name: str, account: str = ACCOUNT) -> str:
    """The ARN of a role under our path, by what follows the product's name."""
    return role(f"iam-org-revoker/iam-org-revoker{name}", account)


def titles(trials: Iterable[Trial]) -> list[str]:
    """How pytest calls each trial."""
    return [f"{one.policy or one.identity}: {one.title}" for one in trials]


REVOKER, FORWARD, RESPONDER = our_role(""), our_role("-forward"), our_role("-responder")
OTHER_REVOKER, OTHER_FORWARD = our_role("", OTHER_MEMBER), our_role("-forward", OTHER_MEMBER)
ADMINISTRATOR, OTHER_ADMINISTRATOR = role("admin"), role("admin", OTHER_MEMBER)
STRANGE_ADMINISTRATOR = role("admin", STRANGER)
EVENTS, CLOUDWATCH, LAMBDA = (
    f"{name}.amazonaws.com" for name in ("events", "cloudwatch", "lambda")
)
INVOKE = "lambda:InvokeFunction"
