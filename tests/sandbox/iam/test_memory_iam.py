"""The IAM in memory, on which histories are played, answers as the sandbox's does over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.model.deny_policy import deny_document, session_deny_document
from handler.model.names import (
    DENY_GROUP,
    DENY_POLICY,
    IAM_PATH,
    SESSION_DENY_GROUP,
    SESSION_DENY_POLICY,
)
from sandbox.box import Box
from tests.doubles.iam import ACCOUNT, DENY_ARN, OPERATIONS, SESSION_DENY_ARN, MemoryIam

ADMINISTRATORS = "Administrators"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "111122223333"}}
        ],
    }
)
OURS = (DENY_ARN, SESSION_DENY_ARN)
# One more than IAM attaches to a role, so that its quota is met.
OTHERS = tuple(f"arn:aws:iam::{ACCOUNT}:policy/filler-{number}" for number in range(21))
MISSING = f"arn:aws:iam::{ACCOUNT}:policy/missing"
USERS, ROLES = ("ann", "ben", "Cleo", "dora"), ("deploy", "build")
GROUPS = (ADMINISTRATORS, DENY_GROUP, SESSION_DENY_GROUP, "missing")
# Whose key is used, and what Organizations makes in each account.
STAGE_HANDS = ("tester", "OrganizationAccountAccessRole")
STEPS = 700
# Credentials whose making needs a real key or certificate: the doubles are handed them ready.
GIVEN = {
    "update_service_specific_credential",
    "update_ssh_public_key",
    "update_signing_certificate",
}
PLAYED = sorted(OPERATIONS.keys() - GIVEN)


@dataclass
class Twins:
    """The same account twice; ids of keys differ, and are held side by side."""

    memory: MemoryIam
    box: Any
    account: str
    keys: list[tuple[str, str, str]] = field(default_factory=list)

    def both(self, operation: str, arguments: dict[str, Any]) -> tuple[Any, Any]:
        """What each answers: its error code, or what the handler would read of the answer."""
        there = json.loads(json.dumps(arguments).replace(ACCOUNT, self.account))
        here = dict(arguments)
        if "AccessKeyId" in arguments:
            here["AccessKeyId"], there["AccessKeyId"] = arguments["AccessKeyId"].split("|")
        one = _answer(getattr(self.memory, operation), here)
        other = _answer(getattr(self.box, operation), there)
        if operation == "create_access_key" and isinstance(one, dict) and isinstance(other, dict):
            ids = (one["AccessKey"]["AccessKeyId"], other["AccessKey"]["AccessKeyId"])
            self.keys.append((arguments["UserName"], *ids))
        other = json.loads(json.dumps(_plain(other)).replace(self.account, ACCOUNT))
        return _plain(one), _beside(other, _plain(one))


@pytest.fixture
def twins(box: Box, account: str) -> Twins:
    # Not as root: the box lets its own root do what IAM would refuse.
    key = box.new_user(account, STAGE_HANDS[0], "iam:*")
    memory, iam = MemoryIam(page=50), box.client("iam", account, key=key)
    memory.now = 1_795_341_600.0
    for name, document in (
        (DENY_POLICY, deny_document()),
        (SESSION_DENY_POLICY, session_deny_document()),
    ):
        iam.create_policy(PolicyName=name, Path=IAM_PATH, PolicyDocument=json.dumps(document))
    for arn in OTHERS:
        memory.documents[arn] = deny_document()
        name = arn.rsplit("/", 1)[-1]
        iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(deny_document()))
    for group in GROUPS[:-1]:
        iam.create_group(GroupName=group)
    for group, arn in ((DENY_GROUP, DENY_ARN), (SESSION_DENY_GROUP, SESSION_DENY_ARN)):
        iam.attach_group_policy(GroupName=group, PolicyArn=arn.replace(ACCOUNT, account))
    return Twins(memory=memory, box=iam, account=account)


@pytest.mark.parametrize("seed", range(3))
def test_both_answer_alike_whatever_is_asked(twins: Twins, seed: int) -> None:
    chance = Random(seed)
    met = set()
    for number in range(STEPS):
        operation, arguments = _drawn(chance, twins)
        here, there = twins.both(operation, arguments)
        assert here == there, f"step {number}: {operation} {arguments}"
        met.add((operation, here if isinstance(here, str) else "answered"))
    assert _standing(twins.memory) == _standing(twins.box)
    assert {operation for operation, _ in met} == set(PLAYED)
    refusals = {answer for _, answer in met} - {"answered"}
    assert refusals >= {"NoSuchEntity", "EntityAlreadyExists", "DeleteConflict"}


def test_both_refuse_the_eleventh_policy_of_a_user_and_the_twenty_first_of_a_role(
    twins: Twins,
) -> None:
    twins.both("create_user", {"UserName": "ann"})
    twins.both("create_role", {"RoleName": "deploy", "AssumeRolePolicyDocument": TRUST})
    for operation, named, quota in (
        ("attach_user_policy", {"UserName": "ann"}, 10),
        ("attach_role_policy", {"RoleName": "deploy"}, 20),
    ):
        answers = [
            twins.both(operation, {**named, "PolicyArn": arn}) for arn in OTHERS[: quota + 1]
        ]
        assert answers == [({}, {})] * quota + [("LimitExceeded", "LimitExceeded")]


def _drawn(chance: Random, twins: Twins) -> tuple[str, dict[str, Any]]:
    """An operation and arguments of which about half mean somebody who is there."""
    operation = chance.choice(PLAYED)
    named: dict[str, Any] = {}
    user, role = chance.choice(USERS), chance.choice(ROLES)
    if "group" in operation:
        named["GroupName"] = chance.choice(GROUPS)
        if operation == "list_groups_for_user":
            named = {"UserName": user}
        elif "policies" not in operation:
            named["UserName"] = user
    elif "role" in operation:
        named["RoleName"] = role
    elif operation not in ("get_policy", "get_policy_version"):
        named["UserName"] = user
    return operation, named | _rest(operation, chance, twins, named)


def _rest(operation: str, chance: Random, twins: Twins, named: dict[str, Any]) -> dict[str, Any]:
    match operation:
        case "create_role":
            return {"AssumeRolePolicyDocument": TRUST}
        case "tag_role":
            return {"Tags": [{"Key": "team", "Value": "example"}]}
        case "update_user":
            return {"NewUserName": chance.choice(USERS)}
        case "create_login_profile" | "update_login_profile":
            return {"Password": "Example-1234567890!"}
        case "update_access_key" | "delete_access_key":
            return _a_key(chance, twins, named) | (
                {"Status": "Inactive"} if operation.startswith("update") else {}
            )
        case "put_role_permissions_boundary":
            return {"PermissionsBoundary": DENY_ARN}
        case "attach_user_policy" | "attach_role_policy":
            return {"PolicyArn": chance.choice((*OURS, OTHERS[0], MISSING))}
        case "detach_user_policy" | "detach_role_policy":
            return {"PolicyArn": chance.choice((*OURS, OTHERS[0]))}
        case "get_policy":
            return {"PolicyArn": chance.choice((*OURS, MISSING))}
        case "get_policy_version":
            return {"PolicyArn": chance.choice(OURS), "VersionId": "v1"}
        case "put_user_policy" | "put_role_policy":
            text = json.dumps(deny_document(), separators=(",", ":"))
            return {"PolicyName": chance.choice(("one", "other")), "PolicyDocument": text}
        case "delete_user_policy" | "delete_role_policy" | "get_user_policy" | "get_role_policy":
            return {"PolicyName": chance.choice(("one", "other"))}
    return {}


def _a_key(chance: Random, twins: Twins, named: dict[str, Any]) -> dict[str, Any]:
    if not twins.keys:
        return {"AccessKeyId": "AKIAEXAMPLE000000001|AKIAEXAMPLE000000001"}
    owner, here, there = chance.choice(twins.keys)
    if chance.random() < 0.8:
        named["UserName"] = owner
    return {"AccessKeyId": f"{here}|{there}"}


def _answer(ask: Any, arguments: dict[str, Any]) -> Any:
    try:
        return ask(**arguments) or {}
    except ClientError as error:
        return str(error.response["Error"]["Code"])


# What the handler reads of an answer. Ids, dates and secrets are each side's own.
READ = {
    "UserName", "RoleName", "GroupName", "PolicyArn", "PolicyDocument", "Document",
    "VersionId", "DefaultVersionId", "Status", "PermissionsBoundaryArn",
}  # fmt: skip


def _plain(answer: Any) -> Any:
    if isinstance(answer, str):
        return answer
    return {key: sorted(values) for key, values in _read(answer)}


def _beside(there: Any, here: Any) -> Any:
    """The other's answer without the names that AWS repeats and the memory leaves out."""
    if isinstance(there, str) or isinstance(here, str):
        return there
    repeated = {"UserName", "RoleName", "GroupName"} - here.keys()
    return {key: values for key, values in there.items() if key not in repeated}


def _read(answer: Any) -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for key, value in _leaves(answer):
        found.setdefault(key, []).append(json.dumps(value, sort_keys=True))
    return sorted(found.items())


def _leaves(answer: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(answer, list):
        for each in answer:
            yield from _leaves(each)
    elif isinstance(answer, dict):
        for key, value in answer.items():
            if key in READ:
                yield key, value
            elif key not in ("ResponseMetadata", "AssumeRolePolicyDocument", "Tags"):
                yield from _leaves(value)


def _standing(iam: Any) -> dict[str, list[str]]:
    """Who is there and in which group, by every page of the listings."""
    standing = {
        kind: sorted(
            str(row[name])
            for page in iam.get_paginator(f"list_{kind.lower()}").paginate()
            for row in page[kind]
            if row[name] not in STAGE_HANDS
        )
        for kind, name in (("Users", "UserName"), ("Roles", "RoleName"))
    }
    for group in GROUPS[:-1]:
        pages = iam.get_paginator("get_group").paginate(GroupName=group)
        standing[group] = sorted(str(user["UserName"]) for page in pages for user in page["Users"])
    return standing
