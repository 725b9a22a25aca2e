"""Impacts by keys, certificates and service credentials: rows 1-3 and 31-33. Pure.

A key of one's own counts as much: the caller may be an administrator of whom only one
credential is the offender's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from handler.revoker.impacts.model import (
    Impact,
    ImpactOf,
    Offence,
    Owner,
    Remediation,
    answered,
    asked,
    owned_command,
    owned_impact,
    owner_of,
    sentences,
    shown,
)


@dataclass(frozen=True)
class CredentialSort:
    """One sort of long-lived credential, by the names that IAM gives to its parts."""

    kind: str
    noun: str
    verb: str
    flag: str
    id_key: str
    within: str


ACCESS_KEY = CredentialSort(
    kind="access-key",
    noun="access key",
    verb="access-key",
    flag="access_key_id",
    id_key="accessKeyId",
    within="accessKey",
)
SERVICE_CREDENTIAL = CredentialSort(
    kind="service-credential",
    noun="service-specific credential",
    verb="service-specific-credential",
    flag="service_specific_credential_id",
    id_key="serviceSpecificCredentialId",
    within="serviceSpecificCredential",
)
SSH_KEY = CredentialSort(
    kind="ssh-key",
    noun="SSH public key",
    verb="ssh-public-key",
    flag="ssh_public_key_id",
    id_key="sSHPublicKeyId",
    within="sSHPublicKey",
)
CERTIFICATE = CredentialSort(
    kind="certificate",
    noun="signing certificate",
    verb="signing-certificate",
    flag="certificate_id",
    id_key="certificateId",
    within="certificate",
)


def _credential_made(offence: Offence, *, row: int, sort: CredentialSort) -> Impact | None:
    owner = owner_of(offence, within=sort.within)
    if owner is None:
        return None
    credential = answered(offence, sort.within, sort.id_key)
    service = answered(offence, sort.within, "serviceName") or asked(offence, "serviceName")
    what = f"a new {sort.noun} {shown(credential)} of {owner.text}"
    if not credential:
        what = f"a new {sort.noun} of {owner.text}"
    return _credential_impact(
        owner,
        row=row,
        what=f"{what} for {service}" if service else what,
        sort=sort,
        credential=credential,
        undo=_credential_command("delete", owner, sort, credential),
    )


def _credential_switched(offence: Offence, *, row: int, sort: CredentialSort) -> Impact | None:
    owner = owner_of(offence)
    credential, status = asked(offence, sort.id_key), asked(offence, "status")
    if owner is None or not credential or not status:
        return None
    named = f"{sort.noun} {shown(credential)} of {owner.text}"
    if status.casefold() == "inactive":
        return owned_impact(
            owner,
            row=row,
            what=f"the {named}, set inactive",
            remediation=Remediation.REPORT,
            undo=_credential_command("update", owner, sort, credential, status="Active"),
        )
    return _credential_impact(
        owner,
        row=row,
        what=f"the {named}, set active",
        sort=sort,
        credential=credential,
        undo=_credential_command("update", owner, sort, credential, status="Inactive"),
        missing="The record does not say whether it was active before.",
    )


def _credential_reset(offence: Offence, *, row: int, sort: CredentialSort) -> Impact | None:
    owner = owner_of(offence, within=sort.within)
    credential = asked(offence, sort.id_key) or answered(offence, sort.within, sort.id_key)
    if owner is None or not credential:
        return None
    return _credential_impact(
        owner,
        row=row,
        what=f"a new secret for the {sort.noun} {shown(credential)} of {owner.text}",
        sort=sort,
        credential=credential,
        undo=_credential_command("update", owner, sort, credential, status="Inactive"),
        missing="Its old secret is lost.",
    )


def _credential_deleted(offence: Offence, *, row: int, sort: CredentialSort) -> Impact | None:
    owner, credential = owner_of(offence), asked(offence, sort.id_key)
    if owner is None or not credential:
        return None
    return owned_impact(
        owner,
        row=row,
        what=f"the {sort.noun} {shown(credential)} of {owner.text}, deleted",
        remediation=Remediation.REPORT,
        missing=f"A deleted {sort.noun} cannot be restored: its owner needs a new one.",
    )


def _credential_impact(
    owner: Owner,
    *,
    row: int,
    what: str,
    sort: CredentialSort,
    credential: str,
    undo: tuple[tuple[str, ...], ...],
    missing: str = "",
) -> Impact:
    """A credential that the offender knows; without its id a person has to look for it."""
    unnamed = "" if credential else f"The record does not carry the {sort.noun}'s id."
    return owned_impact(
        owner,
        row=row,
        what=what,
        remediation=Remediation.SILENCE if credential else Remediation.LIST_SINCE,
        credential=credential,
        credential_kind=sort.kind,
        undo=undo,
        missing=sentences(missing, unnamed),
        critical=not credential,
    )


def _credential_command(
    act: str, owner: Owner, sort: CredentialSort, credential: str, **rest: str
) -> tuple[tuple[str, ...], ...]:
    return owned_command(f"{act}-{sort.verb}", owner, **{sort.flag: credential}, **rest)


CREDENTIAL_IMPACTS: dict[str, ImpactOf] = {
    "CreateAccessKey": partial(_credential_made, row=1, sort=ACCESS_KEY),
    "DeleteAccessKey": partial(_credential_deleted, row=2, sort=ACCESS_KEY),
    "UpdateAccessKey": partial(_credential_switched, row=3, sort=ACCESS_KEY),
    "CreateServiceSpecificCredential": partial(_credential_made, row=31, sort=SERVICE_CREDENTIAL),
    "ResetServiceSpecificCredential": partial(_credential_reset, row=31, sort=SERVICE_CREDENTIAL),
    "UpdateServiceSpecificCredential": partial(
        _credential_switched, row=31, sort=SERVICE_CREDENTIAL
    ),
    "DeleteServiceSpecificCredential": partial(
        _credential_deleted, row=31, sort=SERVICE_CREDENTIAL
    ),
    "UploadSSHPublicKey": partial(_credential_made, row=32, sort=SSH_KEY),
    "UpdateSSHPublicKey": partial(_credential_switched, row=32, sort=SSH_KEY),
    "DeleteSSHPublicKey": partial(_credential_deleted, row=32, sort=SSH_KEY),
    "UploadSigningCertificate": partial(_credential_made, row=33, sort=CERTIFICATE),
    "UpdateSigningCertificate": partial(_credential_switched, row=33, sort=CERTIFICATE),
    "DeleteSigningCertificate": partial(_credential_deleted, row=33, sort=CERTIFICATE),
}
