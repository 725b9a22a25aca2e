"""Impacts by SAML and OIDC providers: rows 26-29. Pure.

Which roles trust a provider the record does not say; told, with the undo or with what it lacks.
"""

from __future__ import annotations

from functools import partial

from handler.revoker.impacts.model import (
    NO_OLD_VALUES,
    Impact,
    ImpactOf,
    Offence,
    answered,
    asked,
    aws_iam,
    reported_impact,
    shown,
)

OIDC_KEY = "openIDConnectProviderArn"


def _saml_made(offence: Offence) -> Impact | None:
    call, name = offence.call, asked(offence, "name")
    arn = answered(offence, "", "sAMLProviderArn") or (
        f"arn:{call.caller.partition}:iam::{call.account}:saml-provider/{name}" if name else ""
    )
    if not arn:
        return None
    return reported_impact(
        row=26,
        what=f"the new SAML provider {shown(arn)} for every role that trusts it",
        undo=aws_iam("delete-saml-provider", saml_provider_arn=arn),
    )


def _saml_changed(offence: Offence, *, what: str) -> Impact | None:
    arn = asked(offence, "sAMLProviderArn")
    if not arn:
        return None
    return reported_impact(
        row=27,
        what=what.format(provider=shown(arn)),
        missing="The record does not carry the old metadata.",
        # Identity Center's own provider: every permission set of this account.
        critical=":saml-provider/AWSSSO_" in arn,
    )


def _oidc_made(offence: Offence) -> Impact | None:
    arn = answered(offence, "", OIDC_KEY)
    url = asked(offence, "url")
    if not arn and not url:
        return None
    return reported_impact(
        row=28,
        what=f"the new OIDC provider {shown(arn or url)} for every role that trusts it",
        undo=aws_iam("delete-open-id-connect-provider", open_id_connect_provider_arn=arn),
        missing="" if arn else "The record does not carry the provider's ARN.",
    )


def _oidc_client(offence: Offence, *, what: str, verb: str) -> Impact | None:
    arn, client = asked(offence, OIDC_KEY), asked(offence, "clientID")
    if not arn or not client:
        return None
    return reported_impact(
        row=29,
        what=what.format(client=shown(client), provider=shown(arn)),
        undo=aws_iam(verb, open_id_connect_provider_arn=arn, client_id=client),
    )


def _oidc_changed(offence: Offence, *, what: str) -> Impact | None:
    arn = asked(offence, OIDC_KEY)
    if not arn:
        return None
    return reported_impact(row=29, what=what.format(provider=shown(arn)), missing=NO_OLD_VALUES)


FEDERATION_IMPACTS: dict[str, ImpactOf] = {
    "CreateSAMLProvider": _saml_made,
    "UpdateSAMLProvider": partial(
        _saml_changed, what="the metadata of the SAML provider {provider}, replaced"
    ),
    "DeleteSAMLProvider": partial(_saml_changed, what="the SAML provider {provider}, deleted"),
    "CreateOpenIDConnectProvider": _oidc_made,
    "AddClientIDToOpenIDConnectProvider": partial(
        _oidc_client,
        what="the client id {client} for the OIDC provider {provider}",
        verb="remove-client-id-from-open-id-connect-provider",
    ),
    "RemoveClientIDFromOpenIDConnectProvider": partial(
        _oidc_client,
        what="the client id {client}, removed from the OIDC provider {provider}",
        verb="add-client-id-to-open-id-connect-provider",
    ),
    "UpdateOpenIDConnectProviderThumbprint": partial(
        _oidc_changed, what="the thumbprints of the OIDC provider {provider}, replaced"
    ),
    "DeleteOpenIDConnectProvider": partial(
        _oidc_changed, what="the OIDC provider {provider}, deleted"
    ),
}
