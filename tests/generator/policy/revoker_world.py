"""A small model of IAM that plays every sequence of what the revoker's role may do.

What it may do is taken from the template; whether it may is asked of an evaluator that is not our
own. The sequences are played on users and roles of every sort, and compare what they may do with
what they could do before anything of ours was on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from generator.render import Rendered
from tests.generator.filling import ACCOUNT
from tests.generator.filling import member as fill_member
from tests.generator.policy.questions import Document, decision

IAM = f"arn:aws:iam::{ACCOUNT}"
DENY = f"{IAM}:policy/iam-org-revoker/iam-org-revoker-deny"
SESSION_DENY = f"{DENY}-sessions"
EVIL_DENY = f"{DENY}-evil"
ADMIN_POLICY = "arn:aws:iam::aws:policy/AdministratorAccess"
DENY_GROUP = f"{IAM}:group/iam-org-revoker/iam-org-revoker-denied"
SESSION_DENY_GROUP = f"{DENY_GROUP}-sessions"
OUR_GROUPS = {DENY_GROUP, SESSION_DENY_GROUP}
ADMINISTRATORS = f"{IAM}:group/people/Administrators"
BUILDERS = f"{IAM}:group/Builders"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:iam-org-revoker"
USER, ROLE = f"{IAM}:user/alice", f"{IAM}:role/deploy"
CANARY = f"{IAM}:role/iam-org-revoker/iam-org-revoker-canary"
FROM_FUNCTION = {"lambda:SourceFunctionArn": FUNCTION}
PROBES = ("iam:CreateUser", "iam:PassRole", "sts:AssumeRole", "s3:GetObject", "logs:GetLogEvents")
# What a bucket's policy grants to one session of a role by its ARN.
SHARED = "s3:GetObject"
TOKEN = {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"}
# How a probe is made: with a long-term key, with a session, with a session that proved its device.
WAYS = {
    "key": {},
    "session": TOKEN | {"aws:MultiFactorAuthPresent": "false"},
    "mfa": TOKEN | {"aws:MultiFactorAuthPresent": "true"},
}
CREDENTIALS = ("AccessKey", "ServiceSpecificCredential", "SSHPublicKey", "SigningCertificate")


def allowing(*actions: str) -> Document:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
    }


EVERYTHING = allowing("*")
# The usual deny of the IAM User Guide: nothing without a second factor.
WITHOUT_MFA: Document = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "NotAction": ["iam:EnableMFADevice", "sts:GetSessionToken"],
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        }
    ],
}
DENYING_BOUNDARY: Document = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:*", "logs:*"], "Resource": "*"},
        {"Effect": "Deny", "Action": SHARED, "Resource": "*"},
    ],
}


@dataclass(frozen=True)
class Principal:
    """A user or role as IAM keeps it; inline is "", "grant" or "deny".

    `active` names what can be signed in with, `silent` what is there and inactive. `shared`: a
    bucket's policy grants SHARED to one of its sessions by ARN.
    """

    arn: str
    policies: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    boundary: str = ""
    inline: str = ""
    active: frozenset[str] = frozenset({"key", "password"})
    not_reporting: frozenset[str] = frozenset()
    shared: bool = False
    open_trust: bool = False


@dataclass(frozen=True)
class World:
    """The template's policies: what the revoker may do, and what its denies say; and the groups."""

    revoker: list[Document]
    contents: dict[str, Document]
    groups: dict[str, list[Document]]

    def may(self, action: str, resource: str, context: dict[str, str]) -> bool:
        asked = FROM_FUNCTION | context
        return decision(self.revoker, f"iam:{action}", resource, context=asked) == "Allow"

    def permitted(self, one: Principal) -> set[str]:
        """Which probes this principal may make, and how."""
        uploaded = [self.contents[arn] for arn in one.policies]
        uploaded += [document for group in one.groups for document in self.groups[group]]
        uploaded += [EVERYTHING] if one.inline == "grant" else []
        uploaded += [self.contents[DENY]] if one.inline == "deny" else []
        limit = self.contents[one.boundary] if one.boundary else None
        return {
            f"{probe} {way}"
            for probe in PROBES
            for way, context in WAYS.items()
            if (said := decision(uploaded, probe, "*", boundary=limit, context=context)) == "Allow"
            # What a resource grants to a session itself, no silence of a policy or boundary takes:
            # an explicit deny alone does (IAM User Guide, "permissions boundaries").
            or (one.shared and probe == SHARED and way != "key" and said != "Deny")
        }


Widened = dict[str, set[Principal]]


@dataclass(frozen=True)
class Try:
    """One call of IAM on a principal: what it asks for, and what becomes of the principal."""

    action: str
    resource: str
    context: dict[str, str]
    after: Principal


def tries(one: Principal) -> Iterator[Try]:
    """Every call that could change what a principal may do."""
    kind = "User" if one.arn == USER else "Role"
    for arn in (DENY, SESSION_DENY, EVIL_DENY, ADMIN_POLICY):
        asked = {"iam:PolicyARN": arn}
        yield Try(
            f"Attach{kind}Policy", one.arn, asked, replace(one, policies=one.policies | {arn})
        )
        yield Try(
            f"Detach{kind}Policy", one.arn, asked, replace(one, policies=one.policies - {arn})
        )
    for arn in (DENY, SESSION_DENY, ADMIN_POLICY, "owner"):
        wanted = {"iam:PermissionsBoundary": arn}
        yield Try(f"Put{kind}PermissionsBoundary", one.arn, wanted, replace(one, boundary=arn))
    there = {"iam:PermissionsBoundary": one.boundary} if one.boundary else {}
    yield Try(f"Delete{kind}PermissionsBoundary", one.arn, there, replace(one, boundary=""))
    for inline in ("grant", "deny"):
        yield Try(f"Put{kind}Policy", one.arn, there, replace(one, inline=inline))
    yield Try(f"Delete{kind}Policy", one.arn, there, replace(one, inline=""))
    if kind == "User":
        for group in (*sorted(OUR_GROUPS), ADMINISTRATORS, BUILDERS):
            yield Try("AddUserToGroup", group, {}, replace(one, groups=one.groups | {group}))
            yield Try("RemoveUserFromGroup", group, {}, replace(one, groups=one.groups - {group}))
        yield Try("CreateAccessKey", one.arn, {}, replace(one, active=one.active | {"new key"}))
        for action in (f"Update{credential}" for credential in CREDENTIALS):
            for name in one.active - {"password"}:
                yield Try(action, one.arn, {}, switched(one, name, on=False))
            for name in one.not_reporting:
                yield Try(action, one.arn, {}, switched(one, name, on=True))
        for action in ("CreateLoginProfile", "UpdateLoginProfile"):
            yield Try(action, one.arn, {}, replace(one, active=one.active | {"new password"}))
        yield Try("DeleteLoginProfile", one.arn, {}, replace(one, active=one.active - {"password"}))
    else:
        yield Try("UpdateAssumeRolePolicy", one.arn, {}, replace(one, open_trust=True))


def switched(one: Principal, credential: str, *, on: bool) -> Principal:
    named = {credential}
    if on:
        return replace(one, active=one.active | named, not_reporting=one.not_reporting - named)
    return replace(one, active=one.active - named, not_reporting=one.not_reporting | named)


def rights(one: Principal) -> Principal:
    """What its permissions hang on alone, whatever it signs in with."""
    return replace(one, active=frozenset(), not_reporting=frozenset())


def without_ours(one: Principal) -> Principal:
    """What counts in a comparison: each of ours but the boundary can be taken off again."""
    return replace(
        one,
        policies=one.policies - {DENY, SESSION_DENY},
        groups=one.groups - OUR_GROUPS,
        inline="" if one.inline == "deny" else one.inline,
    )


def first_principals() -> Iterator[Principal]:
    """Users and roles of every sort, before anything of ours was on them."""
    for policies in (frozenset[str](), frozenset({ADMIN_POLICY})):
        for boundary in ("", "owner", "denying"):
            for shared in (False, True):
                yield Principal(ROLE, policies=policies, boundary=boundary, shared=shared)
            for groups in (frozenset[str](), frozenset({ADMINISTRATORS}), frozenset({BUILDERS})):
                for not_reporting in (frozenset[str](), frozenset({"old key"})):
                    yield Principal(
                        USER,
                        policies=policies,
                        groups=groups,
                        boundary=boundary,
                        not_reporting=not_reporting,
                    )


def widened(world: World) -> Widened:
    """The calls by which some sequence gives a principal more than it had first, and which ones.

    Ours is left out on both sides: what is hidden by our deny counts when it is given, not only
    when the deny is taken off. What a sequence goes on with after such a call is not followed.
    """
    found: Widened = {}
    may = cache(lambda action, resource, asked: world.may(action, resource, dict(asked)))
    permitted = cache(world.permitted)
    for first in first_principals():
        before = permitted(rights(first))
        seen, waiting = {first}, [first]
        while waiting:
            now = waiting.pop()
            for call in tries(now):
                asked = tuple(call.context.items())
                if call.after in seen or not may(call.action, call.resource, asked):
                    continue
                more = permitted(rights(call.after)) | permitted(rights(without_ours(call.after)))
                if more - before or call.after.active - first.active or call.after.open_trust:
                    found.setdefault(call.action, set()).add(first)
                    continue
                seen.add(call.after)
                waiting.append(call.after)
    return found


def world_of(member: Rendered, **given: str) -> World:
    resources = fill_member(
        member.tree, **{"Mode": "enforce", "MissingGroup": "treat-as-empty"} | given
    ).resources()
    role = resources["RevokerRole"]["Properties"]
    return World(
        revoker=[policy["PolicyDocument"] for policy in role["Policies"]],
        contents={
            DENY: resources["DenyPolicy"]["Properties"]["PolicyDocument"],
            SESSION_DENY: resources["SessionDenyPolicy"]["Properties"]["PolicyDocument"],
            EVIL_DENY: EVERYTHING,
            ADMIN_POLICY: EVERYTHING,
            "owner": allowing("s3:*", "logs:*"),
            "denying": DENYING_BOUNDARY,
        },
        groups={
            DENY_GROUP: [resources["DenyPolicy"]["Properties"]["PolicyDocument"]],
            SESSION_DENY_GROUP: [resources["SessionDenyPolicy"]["Properties"]["PolicyDocument"]],
            ADMINISTRATORS: [EVERYTHING, WITHOUT_MFA],
            BUILDERS: [allowing("iam:*")],
        },
    )
