"""Rows 1-6, 22-23, 31-32 and 49: keys, passwords, MFA devices, service credentials."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from stacksets.prove.attacks.actor import Actor
from stacksets.prove.attacks.cast import Cast, public_key
from stacksets.prove.attacks.model import Row, credential_off, key_off, login_deleted, ssh_key_off
from stacksets.prove.attacks.scene import PATH, Scene

# A service whose credentials every account may have (API Reference,
# CreateServiceSpecificCredential).
SERVICE = "cassandra.amazonaws.com"
STEP_SECONDS = 30


def password() -> str:
    """One that every password policy takes, and nobody knows."""
    return f"aA1!{secrets.token_urlsafe(32)}"


def victim(cast: Cast) -> None:
    cast.user("victim")


def new_key(cast: Cast, of: str = "victim", word: str = "key") -> None:
    made = cast.by().create_access_key(UserName=cast[of])["AccessKey"]
    cast.names[word] = made["AccessKeyId"]


def victim_with_a_key(cast: Cast, status: str = "Active") -> None:
    victim(cast)
    made = cast.operator.create_access_key(UserName=cast["victim"])["AccessKey"]
    cast.names["old"] = made["AccessKeyId"]
    switch(cast, cast.operator, status)


def switch(cast: Cast, by: Actor, status: str) -> None:
    by.update_access_key(UserName=cast["victim"], AccessKeyId=cast["old"], Status=status)


def slot_and_key(cast: Cast) -> None:
    cast.by().delete_access_key(UserName=cast["victim"], AccessKeyId=cast["old"])
    new_key(cast)


def new_login(cast: Cast, of: str, by: Actor) -> str:
    given = password()
    by.create_login_profile(UserName=cast[of], Password=given, PasswordResetRequired=False)
    return given


def new_user_with_login(cast: Cast) -> None:
    cast.user("new-user", by=cast.by())
    new_login(cast, "new-user", cast.by())


def victim_with_login(cast: Cast) -> None:
    victim(cast)
    new_login(cast, "victim", cast.operator)


def reset_logins(cast: Cast, *words: str) -> None:
    for word in words:
        cast.by().update_login_profile(UserName=cast[word], Password=password())


def mallory_with_login(cast: Cast) -> None:
    cast.names["password"] = new_login(cast, "mallory", cast.operator)


def own_password(cast: Cast) -> None:
    cast.by().change_password(OldPassword=cast["password"], NewPassword=password())


def anna_and_bert(cast: Cast) -> None:
    """Two administrators, made by one."""
    for word in ("anna", "bert"):
        cast.user(word, groups=(cast.scene.settings.admin_group,))
        new_login(cast, word, cast.operator)


def new_device(cast: Cast, by: Actor) -> None:
    """Make a virtual MFA device and enable it for the victim, with two codes in a row."""
    made = by.create_virtual_mfa_device(VirtualMFADeviceName=cast.name("device"), Path=PATH)
    device = made["VirtualMFADevice"]
    cast.names["device"] = device["SerialNumber"]
    now = cast.scene.waiting.clock()
    by.enable_mfa_device(
        UserName=cast["victim"],
        SerialNumber=cast["device"],
        AuthenticationCode1=code(device["Base32StringSeed"], now - STEP_SECONDS),
        AuthenticationCode2=code(device["Base32StringSeed"], now),
    )


def code(seed: bytes, at: float) -> str:
    """The six digits of a moment (RFC 6238)."""
    counter = int(at // STEP_SECONDS).to_bytes(8, "big")
    found = hmac.digest(base64.b32decode(seed), counter, hashlib.sha1)
    start = found[-1] & 15
    return f"{(int.from_bytes(found[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


def victim_with_device(cast: Cast) -> None:
    victim(cast)
    new_device(cast, cast.operator)


def take_device(cast: Cast) -> None:
    cast.by().deactivate_mfa_device(UserName=cast["victim"], SerialNumber=cast["device"])
    cast.by().delete_virtual_mfa_device(SerialNumber=cast["device"])


def service_credential(cast: Cast, by: Actor) -> None:
    made = by.create_service_specific_credential(UserName=cast["victim"], ServiceName=SERVICE)
    found = made["ServiceSpecificCredential"]
    cast.names["credential"] = found["ServiceSpecificCredentialId"]


def victim_with_credential(cast: Cast) -> None:
    victim(cast)
    service_credential(cast, cast.operator)


def reset_credential(cast: Cast) -> None:
    cast.by().reset_service_specific_credential(
        UserName=cast["victim"], ServiceSpecificCredentialId=cast["credential"]
    )


def ssh_key(cast: Cast) -> None:
    made = cast.by().upload_ssh_public_key(UserName=cast["victim"], SSHPublicKeyBody=public_key())
    cast.names["ssh"] = made["SSHPublicKey"]["SSHPublicKeyId"]


def unless_self_service(scene: Scene) -> str:
    spared = "ChangePassword" in scene.settings.self_service
    return "" if spared else "SelfServiceCalls lacks ChangePassword"


def unless_group(scene: Scene) -> str:
    """Why nobody can be put into the administrators' group."""
    return "" if scene.has_group else "the administrators' group is missing"


ROWS = (
    Row(
        row=1,
        title="A new access key for another user",
        prepare=victim,
        attack=new_key,
        ends=(key_off("key", "victim"),),
    ),
    Row(
        row=1,
        title="A second access key for oneself",
        attack=lambda cast: new_key(cast, of="mallory"),
        ends=(key_off("key", "mallory"),),
    ),
    Row(
        row=2,
        title="The same after freeing a slot",
        prepare=victim_with_a_key,
        attack=slot_and_key,
        ends=(key_off("key", "victim"),),
    ),
    Row(
        row=3,
        title="An old access key switched on",
        prepare=lambda cast: victim_with_a_key(cast, "Inactive"),
        attack=lambda cast: switch(cast, cast.by(), "Active"),
        ends=(key_off("old", "victim"),),
    ),
    Row(
        row=3,
        title="A colleague's access key switched off",
        prepare=victim_with_a_key,
        attack=lambda cast: switch(cast, cast.by(), "Inactive"),
    ),
    Row(
        row=4,
        title="A console password for a user who had none",
        prepare=victim,
        attack=lambda cast: new_login(cast, "victim", cast.by()),
    ),
    Row(
        row=4,
        title="A console password for a user of one's own making",
        attack=new_user_with_login,
        contained=("mallory", "new-user"),
        ends=(login_deleted("new-user"),),
    ),
    Row(
        row=5,
        title="A console password reset",
        prepare=victim_with_login,
        attack=lambda cast: reset_logins(cast, "victim"),
    ),
    Row(
        row=6,
        title="One's own console password changed",
        prepare=mallory_with_login,
        attack=own_password,
        contained=(),
        unless=unless_self_service,
    ),
    Row(
        row=22,
        title="An MFA device taken off and deleted",
        prepare=victim_with_device,
        attack=take_device,
    ),
    Row(
        row=23,
        title="The attacker's MFA device for another user",
        prepare=victim,
        attack=lambda cast: new_device(cast, cast.by()),
    ),
    Row(
        row=31,
        title="A service-specific credential",
        prepare=victim,
        attack=lambda cast: service_credential(cast, cast.by()),
        ends=(credential_off("victim"),),
    ),
    Row(
        row=31,
        title="A service-specific credential's secret reset",
        prepare=victim_with_credential,
        attack=reset_credential,
        ends=(credential_off("victim"),),
    ),
    Row(
        row=32,
        title="An SSH public key",
        prepare=victim,
        attack=ssh_key,
        ends=(ssh_key_off("victim"),),
    ),
    Row(
        row=49,
        title="Every administrator's password reset",
        prepare=anna_and_bert,
        attack=lambda cast: reset_logins(cast, "anna", "bert"),
        unless=unless_group,
    ),
)
