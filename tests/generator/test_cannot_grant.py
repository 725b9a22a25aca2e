"""Nothing that the revoker's role may do can grant: asked of an evaluator that is not our own.

What the role may do is taken from the template. A small model of IAM then plays every sequence of
what was allowed on users and roles of every sort, and compares what they may do with what they
could do before anything of ours was on them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from generator.render import Rendered
from tests.generator.filling import ACCOUNT
from tests.generator.filling import member as fill_member
from tests.generator.questions import Document, decision, operations

IAM = f"arn:aws:iam::{ACCOUNT}"
DENY = f"{IAM}:policy/iam-org-revoker/iam-org-revoker-deny"
SESSION_DENY = f"{DENY}-sessions"
EVIL_DENY = f"{DENY}-evil"
ADMIN_POLICY = "arn:aws:iam::aws:policy/AdministratorAccess"
DENY_GROUP = f"{IAM}:group/iam-org-revoker/iam-org-revoker-denied"
ADMINISTRATORS = f"{IAM}:group/people/Administrators"
BUILDERS = f"{IAM}:group/Builders"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:iam-org-revoker"
USER, ROLE = f"{IAM}:user/alice", f"{IAM}:role/deploy"
CANARY = f"{IAM}:role/iam-org-revoker/iam-org-revoker-canary"
FROM_FUNCTION = {"lambda:SourceFunctionArn": FUNCTION}
PROBES = ("iam:CreateUser", "iam:PassRole", "sts:AssumeRole", "s3:GetObject", "logs:GetLogEvents")
READING = ("Get", "List", "BatchGet", "Scan", "Describe", "Lookup")


def allowing(*actions: str) -> Document:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
    }


EVERYTHING = allowing("*")


@dataclass(frozen=True)
class Principal:
    """A user or role as IAM keeps it; inline is "", "grant" or "deny"."""

    arn: str
    policies: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    boundary: str = ""
    inline: str = ""
    keys: int = 1
    open_trust: bool = False


@dataclass(frozen=True)
class World:
    """The template's policies: what the revoker may do, and what its denies say."""

    revoker: list[Document]
    contents: dict[str, Document]

    def may(self, action: str, resource: str, context: dict[str, str]) -> bool:
        asked = FROM_FUNCTION | context
        return decision(self.revoker, f"iam:{action}", resource, context=asked) == "Allow"

    def permitted(self, one: Principal) -> set[str]:
        """Which probes this principal may make, with a session or with a long-term key."""
        carried = [self.contents[arn] for arn in one.policies]
        carried += [document for group in one.groups for document in self.of_group(group)]
        carried += [EVERYTHING] if one.inline == "grant" else []
        carried += [self.contents[DENY]] if one.inline == "deny" else []
        limit = self.contents[one.boundary] if one.boundary else None
        return {
            f"{probe} {'session' if session else 'key'}"
            for probe in PROBES
            for session in ({"aws:TokenIssueTime": "2026-01-01T00:00:00Z"}, {})
            if decision(carried, probe, "*", boundary=limit, context=session) == "Allow"
        }

    def of_group(self, group: str) -> list[Document]:
        return {
            DENY_GROUP: [self.contents[DENY]],
            ADMINISTRATORS: [EVERYTHING],
            BUILDERS: [allowing("iam:*")],
        }[group]


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
    for arn in (DENY, SESSION_DENY, ADMIN_POLICY):
        wanted = {"iam:PermissionsBoundary": arn}
        yield Try(f"Put{kind}PermissionsBoundary", one.arn, wanted, replace(one, boundary=arn))
    there = {"iam:PermissionsBoundary": one.boundary} if one.boundary else {}
    yield Try(f"Delete{kind}PermissionsBoundary", one.arn, there, replace(one, boundary=""))
    for inline in ("grant", "deny"):
        yield Try(f"Put{kind}Policy", one.arn, there, replace(one, inline=inline))
    yield Try(f"Delete{kind}Policy", one.arn, there, replace(one, inline=""))
    if kind == "User":
        for group in (DENY_GROUP, ADMINISTRATORS, BUILDERS):
            yield Try("AddUserToGroup", group, {}, replace(one, groups=one.groups | {group}))
            yield Try("RemoveUserFromGroup", group, {}, replace(one, groups=one.groups - {group}))
        yield Try("CreateAccessKey", one.arn, {}, replace(one, keys=one.keys + 1))
        yield Try("UpdateAccessKey", one.arn, {}, one)
        yield Try("CreateLoginProfile", one.arn, {}, replace(one, keys=one.keys + 1))
        yield Try("UpdateLoginProfile", one.arn, {}, replace(one, keys=one.keys + 1))
        yield Try("DeleteLoginProfile", one.arn, {}, one)
    else:
        yield Try("UpdateAssumeRolePolicy", one.arn, {}, replace(one, open_trust=True))


def first_principals() -> Iterator[Principal]:
    """Users and roles of every sort, before anything of ours was on them."""
    for policies in (frozenset[str](), frozenset({ADMIN_POLICY})):
        for boundary in ("", "owner"):
            yield Principal(ROLE, policies=policies, boundary=boundary)
            for groups in (frozenset[str](), frozenset({ADMINISTRATORS}), frozenset({BUILDERS})):
                yield Principal(USER, policies=policies, groups=groups, boundary=boundary)


def widened(world: World) -> list[str]:
    """The calls at which some sequence shows that a principal may do more than before; or []."""
    found = []
    for first in first_principals():
        before = world.permitted(first)
        seen, waiting = {first}, [first]
        while waiting:
            now = waiting.pop()
            for call in tries(now):
                if call.after in seen or not world.may(call.action, call.resource, call.context):
                    continue
                more = world.permitted(call.after) - before
                if more or call.after.keys > first.keys or call.after.open_trust:
                    found.append(call.action)
                    continue
                seen.add(call.after)
                waiting.append(call.after)
    return sorted(set(found))


def world_of(member: Rendered, **given: str) -> World:
    resources = fill_member(member.tree, Mode="enforce", MissingGroup="nobody", **given).resources()
    role = resources["RevokerRole"]["Properties"]
    return World(
        revoker=[policy["PolicyDocument"] for policy in role["Policies"]],
        contents={
            DENY: resources["DenyPolicy"]["Properties"]["PolicyDocument"],
            SESSION_DENY: resources["SessionDenyPolicy"]["Properties"]["PolicyDocument"],
            EVIL_DENY: EVERYTHING,
            ADMIN_POLICY: EVERYTHING,
            "owner": allowing("s3:*", "logs:*"),
        },
    )


@pytest.fixture(scope="session")
def world(member: Rendered) -> World:
    return world_of(member)


@pytest.mark.parametrize("scope", ["iam", "everything"])
def test_no_sequence_of_what_the_revoker_may_do_gives_anybody_a_permission(
    member: Rendered, scope: str
) -> None:
    assert widened(world_of(member, DenyScope=scope)) == []


def test_the_sequences_do_contain_and_release(world: World) -> None:
    alice = Principal(USER, policies=frozenset({ADMIN_POLICY}))
    assert "iam:CreateUser key" in world.permitted(alice)
    reached = {call.action: call.after for call in tries(alice) if may(world, call)}
    denied = replace(alice, policies=frozenset({ADMIN_POLICY, DENY}))
    assert world.permitted(denied) == {
        *("s3:GetObject key", "s3:GetObject session"),
        *("logs:GetLogEvents key", "logs:GetLogEvents session"),
    }
    assert reached["AddUserToGroup"].groups == {DENY_GROUP}
    released = [c.after for c in tries(denied) if c.action == "DetachUserPolicy" and may(world, c)]
    assert alice in released
    sessions = replace(alice, policies=frozenset({ADMIN_POLICY, SESSION_DENY}))
    assert "iam:CreateUser key" in world.permitted(sessions)
    assert "iam:CreateUser session" not in world.permitted(sessions)


def may(world: World, call: Try) -> bool:
    return world.may(call.action, call.resource, call.context)


def _allow(*actions: str, **more: Any) -> Document:
    ours = {"ArnEquals": {"lambda:SourceFunctionArn": FUNCTION}}
    statement = {"Effect": "Allow", "Resource": "*", "Condition": ours} | more
    return {"Version": "2012-10-17", "Statement": [statement | {"Action": list(actions)}]}


OUR_BOUNDARY = {"StringEquals": {"iam:PermissionsBoundary": DENY}}


@pytest.mark.parametrize(
    ("slip", "found"),
    [
        # Put over the owner's, then taken off: what 0.1.0 could have done.
        (
            _allow("iam:DeleteRolePermissionsBoundary", Condition=OUR_BOUNDARY),
            ["DeleteRolePermissionsBoundary", "DetachRolePolicy"],
        ),
        (_allow("iam:AttachRolePolicy"), ["AttachRolePolicy"]),
        (
            _allow("iam:AttachUserPolicy", Condition={"ArnLike": {"iam:PolicyARN": f"{DENY}*"}}),
            ["AttachUserPolicy"],
        ),
        (
            _allow("iam:AddUserToGroup", Resource=f"{IAM}:group/*"),
            ["AddUserToGroup", "DetachUserPolicy", "RemoveUserFromGroup"],
        ),
        (_allow("iam:PutUserPolicy"), ["PutUserPolicy"]),
        (
            _allow("iam:DeleteUserPermissionsBoundary"),
            ["DeleteUserPermissionsBoundary", "DetachUserPolicy", "RemoveUserFromGroup"],
        ),
        (_allow("iam:Update*"), ["UpdateAssumeRolePolicy", "UpdateLoginProfile"]),
        (_allow("iam:CreateAccessKey"), ["CreateAccessKey"]),
    ],
)
def test_each_slip_of_a_permission_would_be_found(
    world: World, slip: Document, found: list[str]
) -> None:
    assert widened(replace(world, revoker=[*world.revoker, slip])) == found


def test_the_inline_deny_is_the_one_parameter_that_could_grant(member: Rendered) -> None:
    assert widened(world_of(member, InlineDeny="allow")) == ["PutRolePolicy", "PutUserPolicy"]


# ---- everything else that IAM knows

THINGS = (
    USER,
    f"{IAM}:user/team/bob",
    ROLE,
    CANARY,
    f"{IAM}:role/iam-org-revoker/iam-org-revoker",
    DENY_GROUP,
    ADMINISTRATORS,
    BUILDERS,
    DENY,
    SESSION_DENY,
    ADMIN_POLICY,
    f"{IAM}:instance-profile/shop",
    f"{IAM}:saml-provider/idp",
    f"{IAM}:oidc-provider/example.com",
    f"{IAM}:mfa/alice",
    "*",
)
CONTEXTS: tuple[dict[str, str], ...] = (
    {},
    *({"iam:PolicyARN": arn} for arn in (DENY, SESSION_DENY, ADMIN_POLICY)),
    *({"iam:PermissionsBoundary": arn} for arn in (DENY, SESSION_DENY, ADMIN_POLICY)),
)
USERS = {USER, f"{IAM}:user/team/bob"}
ANY_ROLE = {ROLE, CANARY, f"{IAM}:role/iam-org-revoker/iam-org-revoker"}
WRITES: dict[str, set[str]] = {
    "AddUserToGroup": {DENY_GROUP},
    "AttachRolePolicy": ANY_ROLE,
    "AttachUserPolicy": USERS,
    "DeleteLoginProfile": USERS,
    "DetachRolePolicy": ANY_ROLE,
    "DetachUserPolicy": USERS,
    "PutRolePermissionsBoundary": ANY_ROLE,
    "RemoveUserFromGroup": {DENY_GROUP, ADMINISTRATORS},
    "TagRole": {CANARY},
    "UpdateAccessKey": USERS,
    "UpdateSSHPublicKey": USERS,
    "UpdateServiceSpecificCredential": USERS,
    "UpdateSigningCertificate": USERS,
}


def _allowed(ask: Callable[[str, str, dict[str, str]], bool], names: list[str]) -> dict[str, Any]:
    found: dict[str, set[str]] = {}
    for name in names:
        if name.startswith(READING):
            continue
        for thing in THINGS:
            if any(ask(name, thing, context) for context in CONTEXTS):
                found.setdefault(name, set()).add(thing)
    return found


def test_of_all_that_iam_can_be_asked_these_writes_alone_are_allowed(world: World) -> None:
    assert _allowed(world.may, [*operations("iam"), "PassRole"]) == WRITES


def test_taken_out_of_its_function_the_role_may_write_nothing_in_iam(world: World) -> None:
    def elsewhere(name: str, thing: str, context: dict[str, str]) -> bool:
        return any(
            decision(world.revoker, f"iam:{name}", thing, context=context | source) == "Allow"
            for source in ({}, {"lambda:SourceFunctionArn": f"{FUNCTION}-evil"})
        )

    assert _allowed(elsewhere, [*WRITES]) == {}


@pytest.mark.parametrize(
    "service",
    [
        *("sts", "organizations", "lambda", "cloudformation", "account", "sso-admin"),
        *("identitystore", "rolesanywhere", "ec2", "ssm", "kms", "secretsmanager", "s3control"),
    ],
)
def test_it_may_do_nothing_by_which_others_get_rights(world: World, service: str) -> None:
    prefix = {"sso-admin": "sso", "s3control": "s3"}.get(service, service)
    allowed = [
        name
        for name in operations(service)
        if decision(world.revoker, f"{prefix}:{name}", "*", context=FROM_FUNCTION) == "Allow"
    ]
    assert allowed == []


def test_its_inline_policies_fit_into_what_iam_allows_a_role(member: Rendered) -> None:
    """10,240 characters in all, white space not counted; with the longest names and every knob."""
    world = world_of(
        member, InlineDeny="allow", AdminGroupName="A" * 128, **{"AWS::Region": "us-gov-west-1"}
    )
    sizes = [len(json.dumps(one, separators=(",", ":"))) for one in world.revoker]
    assert sum(sizes) < 10_240
