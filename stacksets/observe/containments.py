"""Look into one account: who bears our deny, or one that was kept. Reads only; judges nothing.

It asks IAM, not the ledger: what is attached is what holds the deletion of a stack back.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from handler.model.cloudtrail import arn_field
from handler.model.deny_policy import still_denies
from handler.model.names import (
    DENY_GROUP,
    INCIDENT_TABLE,
    KEPT_GROUP,
    KEPT_SESSION_GROUP,
    REVOKER,
    SESSION_DENY_GROUP,
)
from handler.model.principal import DenyMethod
from stacksets.observe.clients import Clients
from stacksets.observed.bearers import Bearer, Holding, Way

AT_ONCE = 8
# (kind, name) by id.
_Members = dict[str, tuple[str, str]]


def look_into(
    clients: Clients, accounts: Iterable[str], *, profiled: Container[str] = ()
) -> dict[str, Holding]:
    """What is held in each account, some at a time; of `profiled` also by whom the operator works
    there. Raises ClientError and CannotEnter."""

    def one(account: str) -> Holding:
        found = holding_of(clients, account)
        if account not in profiled:
            return found
        return replace(found, operator=operator_of(clients, account))

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return {found.account: found for found in pool.map(one, sorted(set(accounts)))}


def holding_of(clients: Clients, account: str) -> Holding:
    """What is held in one account."""
    iam = clients.of("iam", account)
    bare = Holding(account, clients.partition, (), runs=False)
    own = {arn: _bearing(iam, arn) for arn in (bare.deny, bare.session_deny)}
    kept = {arn: _bearing(iam, arn) for arn in (bare.kept, bare.kept_sessions)}
    groups, taken = _groups(iam, bare)
    ids: _Members = {}
    for found in (*groups.values(), *own.values(), *kept.values()):
        ids |= found or {}
    bearers = tuple(
        _bearer(iam, bare, (principal, kind, name), groups, own)
        for principal, (kind, name) in sorted(ids.items())
        if kind != "group"
    )
    uploading = {bare.deny: DENY_GROUP, bare.session_deny: SESSION_DENY_GROUP}
    documents = {arn: _document(iam, arn) for arn, found in kept.items() if found is not None}
    deny = _document(iam, bare.deny) if own[bare.deny] is not None else None
    return Holding(
        account=account,
        partition=clients.partition,
        bearers=bearers,
        runs=_runs(clients.of("lambda", account)),
        kept_policies=frozenset(documents),
        spoilt=frozenset(
            arn
            for arn, document in documents.items()
            if not still_denies(document, sessions_only=arn == bare.kept_sessions)
        ),
        kept_group=groups[KEPT_GROUP] is not None,
        kept_session_group=groups[KEPT_SESSION_GROUP] is not None,
        deny_everything=still_denies(deny) and _of_everything(deny),
        odd_groups=tuple(
            (name, arn)
            for arn, found in own.items()
            for kind, name in (found or {}).values()
            if kind == "group" and name != uploading[arn]
        ),
        squatters=(*taken, *(_squatters(iam, kept) if bearers else ())),
    )


def accounts_reported_of(clients: Clients, central: str) -> set[str] | None:
    """The accounts of which the central table holds an incident; None where there is no table."""
    pages = clients.of("dynamodb", central).get_paginator("scan")
    found = set()
    try:
        for page in pages.paginate(
            TableName=INCIDENT_TABLE,
            ProjectionExpression="pk",
            FilterExpression="begins_with(pk, :prefix)",
            ExpressionAttributeValues={":prefix": {"S": "incident#"}},
        ):
            found |= {item["pk"]["S"].split("#")[1] for item in page["Items"]}
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    return found


def _bearing(iam: Any, arn: str) -> _Members | None:
    """(kind, name) by id of whoever has a policy, groups too, as such or as boundary; None without
    one."""
    try:
        return dict(_entities(iam, arn))
    except iam.exceptions.NoSuchEntityException:
        return None


def _entities(iam: Any, arn: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for page in iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn):
        for user in page["PolicyUsers"]:
            yield user["UserId"], ("user", user["UserName"])
        for role in page["PolicyRoles"]:
            yield role["RoleId"], ("role", role["RoleName"])
        for group in page["PolicyGroups"]:
            yield group["GroupId"], ("group", group["GroupName"])


def _members(iam: Any, group: str) -> _Members | None:
    try:
        return {
            user["UserId"]: ("user", user["UserName"])
            for page in iam.get_paginator("get_group").paginate(GroupName=group)
            for user in page["Users"]
        }
    except iam.exceptions.NoSuchEntityException:
        return None


def _groups(iam: Any, bare: Holding) -> tuple[dict[str, _Members | None], tuple[str, ...]]:
    """Who is in each group of ours, None without it; and ARNs of others that have a kept one's
    name."""
    groups = {name: _members(iam, name) for name in (DENY_GROUP, SESSION_DENY_GROUP)}
    taken: tuple[str, ...] = ()
    for name, arn in (
        (KEPT_GROUP, bare.kept_group_arn),
        (KEPT_SESSION_GROUP, bare.kept_session_group_arn),
    ):
        found = _arn_of_group(iam, name)
        groups[name] = _members(iam, name) if found == arn else None
        taken += (found,) if found not in ("", arn) else ()
    return groups, taken


def _arn_of_group(iam: Any, name: str) -> str:
    """ "" where there is no group of the name."""
    try:
        return str(iam.get_group(GroupName=name)["Group"]["Arn"])
    except iam.exceptions.NoSuchEntityException:
        return ""


def _squatters(iam: Any, kept: Mapping[str, Any]) -> Iterator[str]:
    """Policies with the name of a kept one that is not there. IAM compares names without their
    case, and finds a policy by ARN alone: only the list of all tells."""
    missing = {arn.rpartition("/")[2].casefold() for arn, found in kept.items() if found is None}
    pages = iam.get_paginator("list_policies").paginate(Scope="Local") if missing else ()
    for page in pages:
        for policy in page["Policies"]:
            if policy["PolicyName"].casefold() in missing:
                yield str(policy["Arn"])


def _bearer(
    iam: Any,
    bare: Holding,
    who: tuple[str, str, str],
    groups: Mapping[str, _Members | None],
    own: Mapping[str, Any],
) -> Bearer:
    principal, kind, name = who
    attached = _attached(iam, kind, name)
    boundary = _boundary(iam, name) if kind == "role" else ""
    methods = {
        DenyMethod.MANAGED_POLICY: bare.deny in attached,
        DenyMethod.SESSION_POLICY: bare.session_deny in attached,
        DenyMethod.BOUNDARY: boundary == bare.deny,
        DenyMethod.DENY_GROUP: principal in (groups[DENY_GROUP] or ()),
        DenyMethod.SESSION_GROUP: principal in (groups[SESSION_DENY_GROUP] or ()),
    }
    ways = {
        Way.POLICY: bare.kept in attached,
        Way.BOUNDARY: boundary == bare.kept,
        Way.GROUP: principal in (groups[KEPT_GROUP] or ()),
    }
    kept_sessions = {
        Way.POLICY: bare.kept_sessions in attached,
        Way.GROUP: principal in (groups[KEPT_SESSION_GROUP] or ()),
    }
    return Bearer(
        kind=kind,
        name=name,
        id=principal,
        methods=frozenset(method for method, there in methods.items() if there),
        policies=len(attached),
        groups=_count_groups(iam, name) if kind == "user" else 0,
        bounded=bool(boundary),
        kept=frozenset(way for way, there in ways.items() if there),
        kept_sessions=frozenset(way for way, there in kept_sessions.items() if there),
        odd=frozenset(
            arn
            for arn, found in own.items()
            if principal in (found or {})
            and arn not in attached
            and not (kind == "role" and arn == bare.deny)
        ),
    )


def operator_of(clients: Clients, account: str) -> str:
    """The ARN by which policies know the operator: a session's own lacks the role's path."""
    arn = str(clients.of("sts", account).get_caller_identity()["Arn"])
    kind, _, name = arn_field(arn, 5).partition("/")
    if kind != "assumed-role":
        return arn
    role = clients.of("iam", account).get_role(RoleName=name.partition("/")[0])["Role"]
    return str(role["Arn"])


def _attached(iam: Any, kind: str, name: str) -> list[str]:
    pages = iam.get_paginator(f"list_attached_{kind}_policies")
    named = {"UserName" if kind == "user" else "RoleName": name}
    return [
        one["PolicyArn"] for page in pages.paginate(**named) for one in page["AttachedPolicies"]
    ]


def _boundary(iam: Any, name: str) -> str:
    found = iam.get_role(RoleName=name)["Role"].get("PermissionsBoundary") or {}
    return str(found.get("PermissionsBoundaryArn", ""))


def _count_groups(iam: Any, name: str) -> int:
    pages = iam.get_paginator("list_groups_for_user").paginate(UserName=name)
    return sum(len(page["Groups"]) for page in pages)


def _document(iam: Any, arn: str) -> Any:
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])
    return version["PolicyVersion"]["Document"]


def _of_everything(document: Any) -> bool:
    """Whether a deny covers every service, as with DenyScope everything."""
    return any(one.get("Action") in ("*", ["*"]) for one in document["Statement"])


def _runs(function: Any) -> bool:
    """Whether the revoker is there and may run: with no concurrency at all it was stopped."""
    try:
        found = function.get_function_concurrency(FunctionName=REVOKER)
    except function.exceptions.ResourceNotFoundException:
        return False
    return bool(found.get("ReservedConcurrentExecutions") != 0)
