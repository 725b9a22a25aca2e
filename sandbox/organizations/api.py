"""The Organizations API over one Organization: who may ask, what the emulator lacks, pages.

Decides by the caller's account only; IAM was asked before, by the emulator.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from sandbox.core import patches
from sandbox.core.request_context import account_now, region_now, scope
from sandbox.core.state import State
from sandbox.organizations.attached_policies import attach_full_access
from sandbox.organizations.organization import (
    Organization,
    Refused,
    accounts,
    found,
    make_access_role,
    ous_below,
    parent_of,
    tell,
)
from sandbox.organizations.policy_limits import AFTER, BEFORE
from sandbox.organizations.trust import TRUST_ACTIONS

Payload = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[Payload], Answer]

PAGE = 20
OF_MEMBERS = ("DescribeOrganization", "LeaveOrganization")
NEVER_PAGED = ("ListTagsForResource",)


def install_organization(state: State) -> Organization:
    """Answer the Organizations API from one Organization, not yet founded, until
    `hooks.restore`."""
    organization = Organization(state)
    module = "ministack.services.organizations"
    handlers = {**patches.get(module, "_DISPATCH"), **_added(organization)}
    for name, handler in handlers.items():
        patches.replace_entry(module, "_DISPATCH", name, _guarded(organization, name, handler))
    state.organization_of = lambda account: (
        state.organization_id if account in accounts(organization) else None
    )
    return organization


def _guarded(organization: Organization, name: str, handler: Handler) -> Handler:
    management = organization.state.management

    def answer(payload: Payload) -> Answer:
        if name == "LeaveOrganization":
            # Its caller's account, which it does not name.
            payload = {"AccountId": account_now()}
        try:
            _check_caller(organization, name, account_now())
            _check_source(organization, name, payload)
            _check_closing(organization, name, payload)
            before = {
                account: parent_of(organization, account) for account in accounts(organization)
            }
            with scope(management, region_now()):
                BEFORE.get(name, _nothing)(payload)
                status, headers, body = handler(payload)
                if status == 200:
                    AFTER.get(name, _nothing)(payload)
                if status == 200 and name == "CreateOrganizationalUnit":
                    attach_full_access(json.loads(body)["OrganizationalUnit"]["Id"])
            if status != 200:
                return status, headers, body
            _report_changes(organization, name, before)
            if name.startswith("List") and name not in NEVER_PAGED:
                return _json(_page(name, payload, json.loads(body)))
            return status, headers, body
        except Refused as refused:
            return _json(refused.content, status=400)

    return answer


def _nothing(_payload: Payload) -> None:
    """Most actions need no more than the emulator does."""


def _check_caller(organization: Organization, name: str, caller: str) -> None:
    """Every member may ask for its Organization, and leave it; List and Describe are also open to
    delegated administrators; all else belongs to the management account (Organizations API
    Reference, "can be called only from" of each action)."""
    known = accounts(organization)
    if name == "CreateOrganization":
        if known:
            message = "The AWS account is already a member of an organization."
            raise Refused("AlreadyInOrganizationException", message)
        return
    if caller not in known:
        message = "Your account is not a member of an organization."
        raise Refused("AWSOrganizationsNotInUseException", message)
    if caller == organization.state.management or name in OF_MEMBERS:
        return
    delegated = any(account == caller for account, _ in organization.administrators)
    if not (delegated and name.startswith(("List", "Describe"))):
        message = "You don't have permissions to access this resource."
        raise Refused("AccessDeniedException", message)


def _check_source(organization: Organization, name: str, payload: Payload) -> None:
    source, account = payload.get("SourceParentId"), str(payload.get("AccountId"))
    if name != "MoveAccount" or account not in accounts(organization):
        return
    if parent_of(organization, account) != source:
        message = "We can't find a source root or OU with the ParentId that you specified."
        raise Refused("SourceParentNotFoundException", message)


def _check_closing(organization: Organization, name: str, payload: Payload) -> None:
    """A closed account stays listed as SUSPENDED for 90 days; here its functions run on."""
    if name == "CloseAccount" and payload.get("AccountId") == organization.state.management:
        message = "You can't close the management account."
        reason = "CANNOT_CLOSE_MANAGEMENT_ACCOUNT"
        raise Refused("ConstraintViolationException", message, reason)


def _report_changes(organization: Organization, name: str, before: dict[str, str | None]) -> None:
    if name not in ("CreateAccount", "MoveAccount"):
        return
    for account in accounts(organization):
        now = parent_of(organization, account)
        if account not in before:
            make_access_role(organization, account)
        if before.get(account) != now:
            tell(organization, account, before.get(account), now)


def _page(name: str, payload: Payload, content: dict[str, Any]) -> dict[str, Any]:
    key, items = next((key, value) for key, value in content.items() if isinstance(value, list))
    start = _offset(name, payload["NextToken"]) if payload.get("NextToken") else 0
    size = min(int(payload.get("MaxResults", PAGE)), PAGE)
    page: dict[str, Any] = {key: items[start : start + size]}
    if name.startswith("ListAccounts"):
        # Newer clients read State; the emulator gives only the older Status.
        page[key] = [{**one, "State": one["Status"]} for one in page[key]]
    if start + size < len(items):
        page["NextToken"] = base64.b64encode(f"{name}:{start + size}".encode()).decode()
    return page


def _offset(name: str, token: str) -> int:
    try:
        action, _, offset = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        action, offset = "", ""
    if action != name or not offset.isdigit():
        message = "The NextToken that you provided is not valid."
        raise Refused("InvalidInputException", message, "INVALID_NEXT_TOKEN")
    return int(offset)


def _json(content: dict[str, Any], *, status: int = 200) -> Answer:
    headers = {"Content-Type": "application/x-amz-json-1.1"}
    if status != 200:
        headers["x-amzn-errortype"] = content["__type"]
    return status, headers, json.dumps(content).encode()


def _added(organization: Organization) -> dict[str, Handler]:
    """The actions that the emulator lacks."""
    own: dict[str, Callable[[Organization, Payload], dict[str, Any]]] = {
        "CreateOrganization": _create_organization,
        "ListChildren": _list_children,
        **TRUST_ACTIONS,
    }

    def bound(action: Callable[[Organization, Payload], dict[str, Any]]) -> Handler:
        return lambda payload: _json(action(organization, payload))

    return {name: bound(action) for name, action in own.items()}


def _create_organization(organization: Organization, _payload: Payload) -> dict[str, Any]:
    found(organization)
    return {"Organization": patches.get("ministack.services.organizations", "_orgs")["self"]}


def _list_children(organization: Organization, payload: Payload) -> dict[str, Any]:
    parent, kind = payload["ParentId"], payload["ChildType"]
    ids = (
        ous_below(organization, parent)
        if kind == "ORGANIZATIONAL_UNIT"
        else [key for key, one in accounts(organization).items() if one["_ParentId"] == parent]
    )
    return {"Children": [{"Id": one, "Type": kind} for one in ids]}
