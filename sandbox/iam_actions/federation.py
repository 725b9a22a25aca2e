"""Actions on OpenID Connect providers and on the root users of members that the emulator lacks.

They change what Get and List show; no token is ever checked against a provider.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.core import patches
from sandbox.core.request_context import account_now
from sandbox.iam_actions.replies import IAM, IamError, Params, listed, value
from sandbox.organizations.organization import Organization, accounts, is_administrator

FEATURES = {
    "OrganizationsRootCredentialsManagement": "RootCredentialsManagement",
    "OrganizationsRootSessions": "RootSessions",
}
SERVICE = "iam.amazonaws.com"


def add_client_id(params: Params) -> dict[str, Any]:
    provider, client = _provider(params), value(params, "ClientID")
    if client not in provider["ClientIDList"]:
        provider["ClientIDList"] = [*provider["ClientIDList"], client]
    return {}


def remove_client_id(params: Params) -> dict[str, Any]:
    provider, client = _provider(params), value(params, "ClientID")
    provider["ClientIDList"] = [one for one in provider["ClientIDList"] if one != client]
    return {}


def update_thumbprint(params: Params) -> dict[str, Any]:
    _provider(params)["ThumbprintList"] = listed(params, "ThumbprintList")
    return {}


def root_features(
    organization: Organization,
) -> dict[str, Callable[[Params], dict[str, Any]]]:
    """Enable... and Disable... of centralised root access, for the management account and the
    delegated administrator of IAM (IAM API Reference, the errors of each action)."""
    enabled: set[str] = set()

    def shown() -> dict[str, Any]:
        state = organization.state
        return {"OrganizationId": state.organization_id, "EnabledFeatures": sorted(enabled)}

    def turn(feature: str, *, on: bool) -> Callable[[Params], dict[str, Any]]:
        def action(_params: Params) -> dict[str, Any]:
            _check(organization)
            (enabled.add if on else enabled.discard)(feature)
            return shown()

        return action

    def list_features(_params: Params) -> dict[str, Any]:
        _check(organization)
        return shown()

    return {
        **{f"Enable{name}": turn(feature, on=True) for name, feature in FEATURES.items()},
        **{f"Disable{name}": turn(feature, on=False) for name, feature in FEATURES.items()},
        "ListOrganizationsFeatures": list_features,
    }


def _provider(params: Params) -> dict[str, Any]:
    arn = value(params, "OpenIDConnectProviderArn")
    found: dict[str, Any] | None = patches.get(IAM, "_oidc_providers").get(arn)
    if found is None:
        message = f"OpenIDConnect Provider not found for arn {arn}"
        raise IamError(404, "NoSuchEntity", message)
    return found


def _check(organization: Organization) -> None:
    caller = account_now()
    if caller not in accounts(organization):
        message = "Your account is not a member of an organization."
        raise IamError(404, "OrganizationNotFoundException", message)
    if caller != organization.state.management and not is_administrator(
        organization, caller, SERVICE
    ):
        message = (
            "The account making the call is not the management account or delegated "
            "administrator account for IAM."
        )
        raise IamError(400, "AccountNotManagementOrDelegatedAdministratorException", message)
    if SERVICE not in organization.trusted:
        message = "Trusted access is not enabled for IAM in Organizations."
        raise IamError(400, "ServiceAccessNotEnabledException", message)
