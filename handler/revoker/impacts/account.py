"""Impacts on the account: rows 24, 34, 41 and 43. Pure.

The password policy, server certificates, alias, tags and switches: told, with the undo or with what
the record lacks for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial

from handler.model.cloudtrail import CallerKind
from handler.revoker.impacts.model import (
    NO_OLD_VALUES,
    Impact,
    ImpactOf,
    Offence,
    Remediation,
    asked,
    aws_iam,
    reported_impact,
    shown,
)


def _password_policy_changed(offence: Offence) -> Impact | None:  # noqa: ARG001  # a row like others
    return reported_impact(
        row=24,
        what="the password policy of the account, changed or deleted",
        missing=NO_OLD_VALUES,
    )


def _named_thing(
    offence: Offence, *, key: str, row: int, what: str, verb: str = "", missing: str = ""
) -> Impact | None:
    """A thing that one parameter names, and whose undo needs no other."""
    name = asked(offence, key)
    if not name:
        return None
    flag = "".join(f"_{c.lower()}" if c.isupper() else c for c in key)
    return reported_impact(
        row=row,
        what=what.format(shown(name)),
        undo=aws_iam(verb, **{flag: name}) if verb else (),
        missing=missing,
    )


def _certificate_renamed(offence: Offence) -> Impact | None:
    old, new = asked(offence, "serverCertificateName"), asked(offence, "newServerCertificateName")
    path = asked(offence, "newPath")
    if not old or not (new or path):
        return None
    flags = {"server_certificate_name": new, "new_server_certificate_name": old}
    return reported_impact(
        row=34,
        what=f"the server certificate {shown(old)}, now {shown(f'{path}{new or old}')}",
        undo=aws_iam("update-server-certificate", **flags),
        missing="The record does not carry the old path." if path else "",
    )


def _tagged(offence: Offence, *, key: str, verb: str, flag: str) -> Impact | None:
    name, tags = asked(offence, key), offence.call.request.get("tags")
    if not name or not isinstance(tags, list):
        return None
    keys = [tag["key"] for tag in tags if isinstance(tag, Mapping) and _is_text(tag.get("key"))]
    undo = aws_iam(verb, **{flag: name, "tag_keys": json.dumps(keys)}) if keys else ()
    return Impact(
        row=41,
        what=f"the tags {', '.join(map(shown, keys))} on {shown(name)}, on which policies "
        "may depend",
        remediation=Remediation.REPORT,
        kind=_tagged_kind(key),
        name=name if _tagged_kind(key) else "",
        undo=undo,
        missing="If such a tag existed before, the record does not carry its old value.",
    )


def _untagged(offence: Offence, *, key: str) -> Impact | None:
    name, keys = asked(offence, key), offence.call.request.get("tagKeys")
    if not name or not isinstance(keys, list):
        return None
    return Impact(
        row=41,
        what=f"the tags {', '.join(shown(k) for k in keys if _is_text(k))}, removed from "
        f"{shown(name)}",
        remediation=Remediation.REPORT,
        kind=_tagged_kind(key),
        name=name if _tagged_kind(key) else "",
        missing="The record does not carry the tags' old values.",
    )


def _tagged_kind(key: str) -> CallerKind | None:
    return {"userName": CallerKind.USER, "roleName": CallerKind.ROLE}.get(key)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _switched_over(offence: Offence, *, row: int, what: str, verb: str) -> Impact | None:  # noqa: ARG001  # a row like the others
    return reported_impact(row=row, what=what, undo=aws_iam(verb), critical=True)


def _properties_put(offence: Offence) -> Impact | None:  # noqa: ARG001  # a row like others
    return reported_impact(
        row=0, what="the properties of the account's IAM, changed", missing=NO_OLD_VALUES
    )


# What can carry tags: the word in the call's name, the parameter, the undoing command and its flag.
_TAGGABLE = (
    ("User", "userName", "untag-user", "user_name"),
    ("Role", "roleName", "untag-role", "role_name"),
    ("Policy", "policyArn", "untag-policy", "policy_arn"),
    ("InstanceProfile", "instanceProfileName", "untag-instance-profile", "instance_profile_name"),
    ("MFADevice", "serialNumber", "untag-mfa-device", "serial_number"),
    ("SAMLProvider", "sAMLProviderArn", "untag-saml-provider", "saml_provider_arn"),
    (
        "OpenIDConnectProvider",
        "openIDConnectProviderArn",
        "untag-open-id-connect-provider",
        "open_id_connect_provider_arn",
    ),
    (
        "ServerCertificate",
        "serverCertificateName",
        "untag-server-certificate",
        "server_certificate_name",
    ),
)

ACCOUNT_IMPACTS: dict[str, ImpactOf] = {
    "UpdateAccountPasswordPolicy": _password_policy_changed,
    "DeleteAccountPasswordPolicy": _password_policy_changed,
    "UploadServerCertificate": partial(
        _named_thing,
        key="serverCertificateName",
        row=34,
        what="a new server certificate {}",
        verb="delete-server-certificate",
    ),
    "UpdateServerCertificate": _certificate_renamed,
    "DeleteServerCertificate": partial(
        _named_thing,
        key="serverCertificateName",
        row=34,
        what="the server certificate {}, deleted",
        missing="The record does not carry the deleted certificate.",
    ),
    "CreateAccountAlias": partial(
        _named_thing,
        key="accountAlias",
        row=41,
        what="the account alias {}",
        verb="delete-account-alias",
        missing="The record does not carry the alias that it replaced, if any.",
    ),
    "DeleteAccountAlias": partial(
        _named_thing,
        key="accountAlias",
        row=41,
        what="the account alias {}, deleted",
        verb="create-account-alias",
    ),
    "CreateInstanceProfile": partial(
        _named_thing,
        key="instanceProfileName",
        row=0,
        what="a new instance profile {} without a role",
        verb="delete-instance-profile",
    ),
    "DeleteInstanceProfile": partial(
        _named_thing,
        key="instanceProfileName",
        row=0,
        what="the instance profile {}, deleted",
        verb="create-instance-profile",
        missing="The record does not carry its path.",
    ),
    "EnableOrganizationsRootCredentialsManagement": partial(
        _switched_over,
        row=43,
        what="management of the root credentials of all member accounts, on",
        verb="disable-organizations-root-credentials-management",
    ),
    "DisableOrganizationsRootCredentialsManagement": partial(
        _switched_over,
        row=43,
        what="management of the root credentials of all member accounts, off",
        verb="enable-organizations-root-credentials-management",
    ),
    "EnableOrganizationsRootSessions": partial(
        _switched_over,
        row=43,
        what="root sessions in all member accounts, on",
        verb="disable-organizations-root-sessions",
    ),
    "DisableOrganizationsRootSessions": partial(
        _switched_over,
        row=43,
        what="root sessions in all member accounts, off",
        verb="enable-organizations-root-sessions",
    ),
    "EnableOutboundWebIdentityFederation": partial(
        _switched_over,
        row=0,
        what="tokens for services outside AWS (outbound web identity federation), on",
        verb="disable-outbound-web-identity-federation",
    ),
    "DisableOutboundWebIdentityFederation": partial(
        _switched_over,
        row=0,
        what="tokens for services outside AWS (outbound web identity federation), off",
        verb="enable-outbound-web-identity-federation",
    ),
    "PutAccountProperties": _properties_put,
    **{
        f"Tag{word}": partial(_tagged, key=key, verb=verb, flag=flag)
        for word, key, verb, flag in _TAGGABLE
    },
    **{f"Untag{word}": partial(_untagged, key=key) for word, key, _, _ in _TAGGABLE},
}
