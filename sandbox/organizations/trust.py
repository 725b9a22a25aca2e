"""Trusted services, delegated administrators and members that leave, in the Organizations API.

Each function is one action: it takes the request, answers the response or raises `Refused`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sandbox.organizations.organization import Organization, Refused, accounts, remove_account

Payload = dict[str, Any]


def _enable_service_access(organization: Organization, payload: Payload) -> dict[str, Any]:
    organization.trusted.setdefault(payload["ServicePrincipal"], time.time())
    return {}


def _disable_service_access(organization: Organization, payload: Payload) -> dict[str, Any]:
    organization.trusted.pop(payload["ServicePrincipal"], None)
    return {}


def _list_service_access(organization: Organization, _payload: Payload) -> dict[str, Any]:
    return {
        "EnabledServicePrincipals": [
            {"ServicePrincipal": name, "DateEnabled": when}
            for name, when in sorted(organization.trusted.items())
        ]
    }


def _register_administrator(organization: Organization, payload: Payload) -> dict[str, Any]:
    account, service = payload["AccountId"], payload["ServicePrincipal"]
    _member(organization, account)
    if account == organization.state.management:
        raise Refused(
            "ConstraintViolationException",
            "You cannot register the management account as a delegated administrator.",
            "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR",
        )
    if service not in organization.trusted:
        raise Refused(
            "ConstraintViolationException",
            "You must enable service access before you register a delegated administrator.",
            "SERVICE_ACCESS_NOT_ENABLED",
        )
    if (account, service) in organization.administrators:
        message = "The account is already a delegated administrator for this service."
        raise Refused("AccountAlreadyRegisteredException", message)
    organization.administrators[account, service] = time.time()
    return {}


def _deregister_administrator(organization: Organization, payload: Payload) -> dict[str, Any]:
    key = (payload["AccountId"], payload["ServicePrincipal"])
    if key not in organization.administrators:
        message = "The account is not a delegated administrator for this service."
        raise Refused("AccountNotRegisteredException", message)
    del organization.administrators[key]
    return {}


def _list_administrators(organization: Organization, payload: Payload) -> dict[str, Any]:
    wanted = payload.get("ServicePrincipal")
    since: dict[str, float] = {}
    for (account, service), when in organization.administrators.items():
        if wanted in (None, service):
            since[account] = min(when, since.get(account, when))
    known = accounts(organization)
    names = ("Id", "Arn", "Email", "Name", "Status", "JoinedMethod", "JoinedTimestamp")
    return {
        "DelegatedAdministrators": [
            {**{name: known[account][name] for name in names}, "DelegationEnabledDate": when}
            for account, when in sorted(since.items())
        ]
    }


def _list_delegated_services(organization: Organization, payload: Payload) -> dict[str, Any]:
    account = payload["AccountId"]
    _member(organization, account)
    return {
        "DelegatedServices": [
            {"ServicePrincipal": service, "DelegationEnabledDate": when}
            for (holder, service), when in sorted(organization.administrators.items())
            if holder == account
        ]
    }


def _remove_account(organization: Organization, payload: Payload) -> dict[str, Any]:
    account = payload["AccountId"]
    _member(organization, account)
    if account == organization.state.management:
        message = "You can't remove the management account from the organization."
        raise Refused("MasterCannotLeaveOrganizationException", message)
    if any(holder == account for holder, _ in organization.administrators):
        raise Refused(
            "ConstraintViolationException",
            "You must deregister the delegated administrator first.",
            "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
        )
    remove_account(organization, account)
    return {}


def _member(organization: Organization, account: str) -> None:
    if account not in accounts(organization):
        message = "You specified an account that doesn't exist."
        raise Refused("AccountNotFoundException", message)


TRUST_ACTIONS: dict[str, Callable[[Organization, Payload], dict[str, Any]]] = {
    "EnableAWSServiceAccess": _enable_service_access,
    "DisableAWSServiceAccess": _disable_service_access,
    "ListAWSServiceAccessForOrganization": _list_service_access,
    "RegisterDelegatedAdministrator": _register_administrator,
    "DeregisterDelegatedAdministrator": _deregister_administrator,
    "ListDelegatedAdministrators": _list_administrators,
    "ListDelegatedServicesForAccount": _list_delegated_services,
    "RemoveAccountFromOrganization": _remove_account,
    "LeaveOrganization": _remove_account,
}
