"""Impacts by console passwords and MFA devices: rows 4-6, 22 and 23. Pure.

A password of one's own counts as much: the caller may be an administrator of whom only one
credential is the offender's.
"""

from __future__ import annotations

from functools import partial

from handler.revoker.impacts.model import (
    Impact,
    ImpactOf,
    Offence,
    Remediation,
    answered,
    asked,
    aws_iam,
    owned_command,
    owned_impact,
    owner_of,
    shown,
)


def _login_made(offence: Offence) -> Impact | None:
    owner = owner_of(offence, within="loginProfile")
    if owner is None:
        return None
    return owned_impact(
        owner,
        row=4,
        what=f"a console password for {owner.text}",
        remediation=Remediation.DELETE_LOGIN,
        undo=owned_command("delete-login-profile", owner),
    )


def _password_set(offence: Offence, *, row: int) -> Impact | None:
    owner = owner_of(offence)
    if owner is None:
        return None
    return owned_impact(
        owner,
        row=row,
        what=f"a new console password for {owner.text}",
        remediation=Remediation.TAINT_SESSIONS,
        missing="The old password is lost: its owner needs a new one from an administrator.",
    )


def _login_deleted(offence: Offence) -> Impact | None:
    owner = owner_of(offence)
    if owner is None:
        return None
    return owned_impact(
        owner,
        row=0,
        what=f"the console password of {owner.text}, deleted",
        remediation=Remediation.REPORT,
        missing="The old password is lost: its owner needs a new one from an administrator.",
    )


def _device_enabled(offence: Offence) -> Impact | None:
    owner, serial = owner_of(offence), asked(offence, "serialNumber")
    if owner is None or not serial:
        return None
    return owned_impact(
        owner,
        row=23,
        what=f"the MFA device {shown(serial)} for {owner.text}",
        remediation=Remediation.TAINT_SESSIONS,
        undo=owned_command("deactivate-mfa-device", owner, serial_number=serial),
    )


def _device_deactivated(offence: Offence) -> Impact | None:
    owner, serial = owner_of(offence), asked(offence, "serialNumber")
    if owner is None or not serial:
        return None
    return owned_impact(
        owner,
        row=22,
        what=f"the MFA device {shown(serial)} of {owner.text}, deactivated",
        remediation=Remediation.TAINT_SESSIONS,
        missing="Only its owner can enrol the device again, with two codes from it.",
    )


def _device_made(offence: Offence) -> Impact | None:
    serial = answered(offence, "virtualMFADevice", "serialNumber")
    name = asked(offence, "virtualMFADeviceName")
    if not (serial or name):
        return None
    return Impact(
        row=23,
        what=f"a new virtual MFA device {shown(serial or name)}, not assigned yet",
        remediation=Remediation.REPORT,
        undo=aws_iam("delete-virtual-mfa-device", serial_number=serial),
        missing="" if serial else "The record does not carry the device's serial number.",
    )


def _device_deleted(offence: Offence) -> Impact | None:
    serial = asked(offence, "serialNumber")
    if not serial:
        return None
    return Impact(
        row=22,
        what=f"the virtual MFA device {shown(serial)}, deleted",
        remediation=Remediation.REPORT,
        missing="The record does not say whose it was; that user needs a new one.",
    )


LOGIN_IMPACTS: dict[str, ImpactOf] = {
    "CreateLoginProfile": _login_made,
    "UpdateLoginProfile": partial(_password_set, row=5),
    "ChangePassword": partial(_password_set, row=6),
    "DeleteLoginProfile": _login_deleted,
    "DeactivateMFADevice": _device_deactivated,
    "DeleteVirtualMFADevice": _device_deleted,
    "CreateVirtualMFADevice": _device_made,
    "EnableMFADevice": _device_enabled,
}
