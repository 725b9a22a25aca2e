"""Identity Center of the Organization: permission sets, and the roles that it keeps in accounts.

An organization instance, as AWS's console makes it; no people, no groups, no sign-in, and its
calls leave no record. Who may ask: IAM Identity Center User Guide, "Delegated administration".
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.core import patches
from sandbox.core.request_context import account_now, region_now, scope
from sandbox.iam.calls_on_behalf import iam_call
from sandbox.organizations.organization import Organization, Refused, accounts, is_administrator

SERVICE = "sso.amazonaws.com"
INSTANCE = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
# What comes on a page unasked: AWS tells only the most that one may ask for, 100.
PAGE = 20
ROLE_PATH = "/aws-reserved/sso.amazonaws.com/"
EVALUATOR = "ministack.core.iam_evaluator"

Payload = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class PermissionSet:
    """A permission set; `held` are ARNs of managed policies."""

    arn: str
    name: str
    made: float
    held: list[str] = field(default_factory=list)


@dataclass
class IdentityCenter:
    """The one of an Organization; it lives in the region `state.identity_center`."""

    organization: Organization
    sets: dict[str, PermissionSet] = field(default_factory=dict)


def install_identity_center(organization: Organization) -> None:
    """Answer sso-admin over HTTP until `hooks.restore`."""
    center = IdentityCenter(organization)
    patches.replace_entry(
        "ministack.core.router",
        "SERVICE_PATTERNS",
        "sso",
        {"target_prefixes": ["SWBExternalService"]},
    )
    patches.replace_entry("ministack.core.iam_actions", "SERVICE_TO_IAM_NAMESPACE", "sso", "sso")

    async def handle(
        _method: str, _path: str, headers: Mapping[str, str], body: bytes, _query: Any
    ) -> Answer:
        name = headers.get("x-amz-target", "").rpartition(".")[2]
        payload = json.loads(body or b"{}")
        if denied := _denied(headers, name, payload):
            return denied
        try:
            if name not in ACTIONS:
                raise Refused("UnknownOperationException", f"The sandbox does not know {name}.")
            _check(center, name, payload)
            return _json(ACTIONS[name](center, payload))
        except Refused as refused:
            return _json(refused.content, status=400)

    patches.replace_entry("ministack.app", "SERVICE_HANDLERS", "sso", handle)


def _denied(headers: Mapping[str, str], name: str, payload: Payload) -> Answer | None:
    """Calls on a permission set ask for the instance too (Service Authorization Reference)."""
    if "PermissionSetArn" not in payload:
        return None
    key = patches.get("ministack.core.router", "extract_access_key_id")(headers)
    enforce = patches.get(EVALUATOR, "enforce")
    instance = payload.get("InstanceArn", "*")
    refused = enforce(key, f"sso:{name}", "sso", region_now(), resource_arn=instance)
    if not refused:
        return None
    deny = patches.get("ministack.core.iam_actions", "access_denied_response")
    answer: Answer = deny("sso", f"sso:{name}", refused.principal_arn, str(uuid.uuid4()))
    return answer


def _check(center: IdentityCenter, name: str, payload: Payload) -> None:
    """Whether this account may ask, and whether what it names is there. A member that is no
    delegate sees no instance here; AWS may show it one that it cannot look into."""
    if name == "ListInstances":
        return
    if not _sees(center):
        message = f"User is not authorized to perform: sso:{name}"
        raise Refused("AccessDeniedException", message)
    if payload.get("InstanceArn") != INSTANCE:
        raise Refused("ResourceNotFoundException", "Instance not found")
    if payload.get("PermissionSetArn", INSTANCE) not in {INSTANCE, *center.sets}:
        raise Refused("ResourceNotFoundException", "PermissionSet not found")


def _sees(center: IdentityCenter) -> bool:
    account, organization = account_now(), center.organization
    trusted = account == organization.state.management or is_administrator(
        organization, account, SERVICE
    )
    return trusted and organization.state.identity_center == region_now()


def _list_instances(center: IdentityCenter, payload: Payload) -> Payload:
    instance = {
        "InstanceArn": INSTANCE,
        "IdentityStoreId": "d-0123456789",
        "OwnerAccountId": center.organization.state.management,
        "Status": "ACTIVE",
    }
    return _page("Instances", [instance] if _sees(center) else [], payload)


def _create_permission_set(center: IdentityCenter, payload: Payload) -> Payload:
    name = payload["Name"]
    if any(one.name == name for one in center.sets.values()):
        message = f"PermissionSet with name {name} already exists."
        raise Refused("ConflictException", message)
    arn = f"{INSTANCE.replace(':instance/', ':permissionSet/')}/ps-{uuid.uuid4().hex[:16]}"
    center.sets[arn] = PermissionSet(arn=arn, name=name, made=time.time())
    return {"PermissionSet": _reported(center.sets[arn])}


def _describe_permission_set(center: IdentityCenter, payload: Payload) -> Payload:
    return {"PermissionSet": _reported(center.sets[payload["PermissionSetArn"]])}


def _list_permission_sets(center: IdentityCenter, payload: Payload) -> Payload:
    return _page("PermissionSets", list(center.sets), payload)


def _attach_managed_policy(center: IdentityCenter, payload: Payload) -> Payload:
    held = center.sets[payload["PermissionSetArn"]].held
    if payload["ManagedPolicyArn"] in held:
        raise Refused("ConflictException", "The policy is attached already.")
    held.append(payload["ManagedPolicyArn"])
    return {}


def _list_managed_policies(center: IdentityCenter, payload: Payload) -> Payload:
    held = center.sets[payload["PermissionSetArn"]].held
    reported = [{"Name": arn.rpartition("/")[2], "Arn": arn} for arn in held]
    return _page("AttachedManagedPolicies", reported, payload)


def _create_account_assignment(center: IdentityCenter, payload: Payload) -> Payload:
    """Make the role of a permission set in an account, as the first assignment there does."""
    account, one = payload["TargetId"], center.sets[payload["PermissionSetArn"]]
    if account not in accounts(center.organization):
        raise Refused("ResourceNotFoundException", "Account not found")
    home = center.organization.state.identity_center
    region = "" if home == "us-east-1" else f"{home}/"
    provider = f"arn:aws:iam::{account}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": provider},
                "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
            }
        ],
    }
    name = f"AWSReservedSSO_{one.name}_{one.arn[-16:]}"
    with scope(account):
        if name not in patches.get("ministack.services.iam", "_roles"):
            iam_call(
                "CreateRole",
                RoleName=name,
                Path=f"{ROLE_PATH}{region}",
                AssumeRolePolicyDocument=json.dumps(trust),
            )
            for policy in one.held:
                iam_call("AttachRolePolicy", RoleName=name, PolicyArn=policy)
    status = {"Status": "SUCCEEDED", "RequestId": str(uuid.uuid4()), "TargetId": account}
    return {"AccountAssignmentCreationStatus": status}


def _reported(one: PermissionSet) -> Payload:
    return {"Name": one.name, "PermissionSetArn": one.arn, "CreatedDate": one.made}


def _page(key: str, items: list[Any], payload: Payload) -> Payload:
    start = payload.get("NextToken", "0")
    if not start.isdigit():
        raise Refused("ValidationException", "The NextToken is not valid.")
    end = int(start) + min(int(payload.get("MaxResults", PAGE)), 100)
    more = {"NextToken": str(end)} if end < len(items) else {}
    return {key: items[int(start) : end], **more}


def _json(content: Payload, *, status: int = 200) -> Answer:
    headers = {"Content-Type": "application/x-amz-json-1.1"}
    return status, headers, json.dumps(content).encode()


ACTIONS: dict[str, Callable[[IdentityCenter, Payload], Payload]] = {
    "ListInstances": _list_instances,
    "CreatePermissionSet": _create_permission_set,
    "DescribePermissionSet": _describe_permission_set,
    "ListPermissionSets": _list_permission_sets,
    "AttachManagedPolicyToPermissionSet": _attach_managed_policy,
    "ListManagedPoliciesInPermissionSet": _list_managed_policies,
    "CreateAccountAssignment": _create_account_assignment,
}
