"""Remove whatever stands under the proof's path, and say what could not go. Shell.

IAM User Guide, "Remove or deactivate an IAM user": a user goes after all that it has; so do roles,
groups and policies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from stacksets.execute.waiters import Waiting
from stacksets.observe.clients import sentence
from stacksets.prove.attacks.actor import code_of
from stacksets.prove.attacks.scene import AT_ONCE, PATH, PROVIDER_HOST

# The revoker may put a deny back meanwhile, and IAM lists for some seconds what is gone.
ROUNDS = 6


@dataclass(frozen=True)
class Left:
    """One thing that could not be removed, and what AWS said."""

    what: str
    said: str


def clean(iam: Any, waiting: Waiting) -> tuple[Left, ...]:
    """Remove all of it, some at a time, in rounds; what is left then."""
    left: tuple[Left, ...] = ()
    for round_number in range(ROUNDS):
        if round_number:
            waiting.sleep(waiting.poll)
        found, left = _round(iam)
        if not found:
            break
    return left


def _round(iam: Any) -> tuple[int, tuple[Left, ...]]:
    """How much there was to remove, and what of it could not be."""
    found, left = 0, []
    for jobs in _jobs(iam):
        found += len(jobs)
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            left += [one for one in pool.map(_try, jobs) if one]
    return found, tuple(left)


def _jobs(iam: Any) -> Iterator[list[tuple[str, Callable[[], None]]]]:
    """What to remove, by kind; each kind before those that it holds back."""
    yield [
        (f"user {one['UserName']}", partial(_user, iam, one["UserName"]))
        for one in _paged(iam, "list_users", "Users", PathPrefix=PATH)
    ]
    yield [
        (f"instance profile {one['InstanceProfileName']}", partial(_profile, iam, one))
        for one in _paged(iam, "list_instance_profiles", "InstanceProfiles", PathPrefix=PATH)
    ]
    yield [
        (f"role {one['RoleName']}", partial(_role, iam, one["RoleName"]))
        for one in _paged(iam, "list_roles", "Roles", PathPrefix=PATH)
    ]
    yield [
        (f"group {one['GroupName']}", partial(_group, iam, one["GroupName"]))
        for one in _paged(iam, "list_groups", "Groups", PathPrefix=PATH)
    ]
    yield [
        (f"policy {one['Arn']}", partial(_policy, iam, one["Arn"]))
        for one in _paged(iam, "list_policies", "Policies", PathPrefix=PATH, Scope="Local")
    ]
    yield [
        (f"MFA device {one['SerialNumber']}", partial(_device, iam, one["SerialNumber"]))
        for one in _paged(iam, "list_virtual_mfa_devices", "VirtualMFADevices")
        if f":mfa{PATH}" in one["SerialNumber"]
    ]
    yield [
        (f"OIDC provider {one['Arn']}", partial(_provider, iam, one["Arn"]))
        for one in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        if one["Arn"].endswith(f".{PROVIDER_HOST}")
    ]


def _try(job: tuple[str, Callable[[], None]]) -> Left | None:
    what, remove = job
    try:
        remove()
    except ClientError as error:
        if code_of(error) == "NoSuchEntity":
            return None
        return Left(what, sentence(error))
    return None


def _user(iam: Any, name: str) -> None:
    named = {"UserName": name}
    for one in iam.list_access_keys(**named)["AccessKeyMetadata"]:
        iam.delete_access_key(**named, AccessKeyId=one["AccessKeyId"])
    for one in iam.list_service_specific_credentials(**named)["ServiceSpecificCredentials"]:
        iam.delete_service_specific_credential(
            **named, ServiceSpecificCredentialId=one["ServiceSpecificCredentialId"]
        )
    for one in iam.list_ssh_public_keys(**named)["SSHPublicKeys"]:
        iam.delete_ssh_public_key(**named, SSHPublicKeyId=one["SSHPublicKeyId"])
    for one in iam.list_mfa_devices(**named)["MFADevices"]:
        iam.deactivate_mfa_device(**named, SerialNumber=one["SerialNumber"])
    for one in iam.list_groups_for_user(**named)["Groups"]:
        iam.remove_user_from_group(**named, GroupName=one["GroupName"])
    _unless_missing(partial(iam.delete_login_profile, **named))
    _policies(iam, "user", name)
    if iam.get_user(**named)["User"].get("PermissionsBoundary"):
        iam.delete_user_permissions_boundary(**named)
    iam.delete_user(**named)


def _role(iam: Any, name: str) -> None:
    _policies(iam, "role", name)
    if iam.get_role(RoleName=name)["Role"].get("PermissionsBoundary"):
        iam.delete_role_permissions_boundary(RoleName=name)
    iam.delete_role(RoleName=name)


def _group(iam: Any, name: str) -> None:
    for one in iam.get_group(GroupName=name)["Users"]:
        iam.remove_user_from_group(GroupName=name, UserName=one["UserName"])
    _policies(iam, "group", name)
    iam.delete_group(GroupName=name)


def _policies(iam: Any, kind: str, name: str) -> None:
    named = {f"{kind.capitalize()}Name": name}
    for policy in getattr(iam, f"list_{kind}_policies")(**named)["PolicyNames"]:
        getattr(iam, f"delete_{kind}_policy")(**named, PolicyName=policy)
    for one in getattr(iam, f"list_attached_{kind}_policies")(**named)["AttachedPolicies"]:
        getattr(iam, f"detach_{kind}_policy")(**named, PolicyArn=one["PolicyArn"])


def _profile(iam: Any, profile: dict[str, Any]) -> None:
    named = {"InstanceProfileName": profile["InstanceProfileName"]}
    for role in profile["Roles"]:
        iam.remove_role_from_instance_profile(**named, RoleName=role["RoleName"])
    iam.delete_instance_profile(**named)


def _policy(iam: Any, arn: str) -> None:
    for one in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not one["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=one["VersionId"])
    iam.delete_policy(PolicyArn=arn)


def _device(iam: Any, serial: str) -> None:
    iam.delete_virtual_mfa_device(SerialNumber=serial)


def _provider(iam: Any, arn: str) -> None:
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)


def _unless_missing(remove: Callable[[], Any]) -> None:
    try:
        remove()
    except ClientError as error:
        if code_of(error) != "NoSuchEntity":
            raise


def _paged(iam: Any, call: str, rows: str, **asked: Any) -> Iterable[dict[str, Any]]:
    for page in iam.get_paginator(call).paginate(**asked):
        yield from page[rows]
