"""Of all that AWS can be asked the revoker's role may write these things alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.generator.policy.questions import decision, operations
from tests.generator.policy.revoker_world import (
    ADMIN_POLICY,
    ADMINISTRATORS,
    BUILDERS,
    CANARY,
    DENY,
    DENY_GROUP,
    FROM_FUNCTION,
    FUNCTION,
    IAM,
    OUR_GROUPS,
    ROLE,
    SESSION_DENY,
    USER,
    World,
)

READING = ("Get", "List", "BatchGet", "Scan", "Describe", "Lookup")
THINGS = (
    USER,
    f"{IAM}:user/team/bob",
    ROLE,
    CANARY,
    f"{IAM}:role/iam-org-revoker/iam-org-revoker",
    *sorted(OUR_GROUPS),
    f"{DENY_GROUP}-evil",
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
    "AddUserToGroup": OUR_GROUPS,
    "AttachRolePolicy": ANY_ROLE,
    "AttachUserPolicy": USERS,
    "DeleteLoginProfile": USERS,
    "DetachRolePolicy": ANY_ROLE,
    "DetachUserPolicy": USERS,
    "PutRolePermissionsBoundary": ANY_ROLE,
    "RemoveUserFromGroup": {*OUR_GROUPS, ADMINISTRATORS},
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
