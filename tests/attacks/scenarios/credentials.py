"""Rows 1-6, 22-23 and 31-33: keys, passwords, MFA devices, service credentials."""

from __future__ import annotations

from typing import Any

from tests.attacks.play import Play
from tests.attacks.rows import (
    Outcome,
    Row,
    command,
    done,
    has_login,
    inactive,
    missing,
    no_login,
    then,
    works,
)

CODECOMMIT = "codecommit.amazonaws.com"
PASSWORD = "not-a-real-Passw0rd"
LOST = "The old password is lost: its owner needs a new one from an administrator."
TAINTED = "console sessions begun after this change are treated as unauthorized"


def victim(play: Play) -> None:
    play.user("victim")


def new_key(play: Play, *, by: str = "mallory", of: str = "victim", word: str = "key") -> None:
    play.keep_key(word, play.iam(by).create_access_key(UserName=play[of])["AccessKey"])


def own_key(play: Play) -> None:
    play.keep_key("key", play.iam("mallory").create_access_key()["AccessKey"])


def victim_with_two_keys(play: Play) -> None:
    victim(play)
    play.keep_key("old", play.quiet.create_access_key(UserName=play["victim"])["AccessKey"])


def slot_and_key(play: Play) -> None:
    play.iam("mallory").delete_access_key(UserName=play["victim"], AccessKeyId=play["old"])
    new_key(play)


def victim_with_an_old_key(play: Play) -> None:
    victim_with_two_keys(play)
    play.quiet.update_access_key(
        UserName=play["victim"], AccessKeyId=play["old"], Status="Inactive"
    )


def switch_on(play: Play) -> None:
    play.iam("mallory").update_access_key(
        UserName=play["victim"], AccessKeyId=play["old"], Status="Active"
    )


def switch_off(play: Play) -> None:
    play.iam("mallory").update_access_key(
        UserName=play["victim"], AccessKeyId=play["victims-key"], Status="Inactive"
    )


def key_is_off(play: Play) -> bool:
    keys = play.quiet.list_access_keys(UserName=play["victim"])["AccessKeyMetadata"]
    return [one["Status"] for one in keys] == ["Inactive"]


def new_login(play: Play, *, of: str = "victim") -> None:
    play.iam("mallory").create_login_profile(UserName=play[of], Password=PASSWORD)


def accomplice_with_login(play: Play) -> None:
    play.iam("mallory").create_user(UserName=play.name("accomplice"))
    new_login(play, of="accomplice")


def victim_with_login(play: Play) -> None:
    victim(play)
    play.quiet.create_login_profile(UserName=play["victim"], Password=PASSWORD)


def reset_login(play: Play) -> None:
    play.iam("mallory").update_login_profile(UserName=play["victim"], Password=PASSWORD)


def mallory_with_login(play: Play) -> None:
    play.quiet.create_login_profile(UserName=play["mallory"], Password=PASSWORD)


def own_password(play: Play) -> None:
    play.iam("mallory").change_password(OldPassword=PASSWORD, NewPassword=f"{PASSWORD}!")


def new_device(iam: Any, play: Play) -> None:
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName=play.name("device"))
    play.names["device"] = made["VirtualMFADevice"]["SerialNumber"]


def enable_device(iam: Any, play: Play, of: str = "victim") -> None:
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    iam.enable_mfa_device(UserName=play[of], SerialNumber=play["device"], **codes)


def victim_with_device(play: Play) -> None:
    victim(play)
    new_device(play.quiet, play)
    enable_device(play.quiet, play)


def take_device(play: Play) -> None:
    mallory = play.iam("mallory")
    mallory.deactivate_mfa_device(UserName=play["victim"], SerialNumber=play["device"])
    mallory.delete_virtual_mfa_device(SerialNumber=play["device"])


def own_device(play: Play) -> None:
    new_device(play.iam("mallory"), play)
    enable_device(play.iam("mallory"), play)


def has_device(play: Play) -> bool:
    return bool(play.quiet.list_mfa_devices(UserName=play["victim"])["MFADevices"])


def service_credential(play: Play) -> None:
    made = play.iam("mallory").create_service_specific_credential(
        UserName=play["victim"], ServiceName=CODECOMMIT
    )["ServiceSpecificCredential"]
    play.names["credential"] = made["ServiceSpecificCredentialId"]


def victim_with_service_credential(play: Play) -> None:
    victim(play)
    made = play.quiet.create_service_specific_credential(
        UserName=play["victim"], ServiceName=CODECOMMIT
    )["ServiceSpecificCredential"]
    play.names["credential"] = made["ServiceSpecificCredentialId"]


def reset_service_credential(play: Play) -> None:
    play.iam("mallory").reset_service_specific_credential(
        UserName=play["victim"], ServiceSpecificCredentialId=play["credential"]
    )


def ssh_key(play: Play) -> None:
    made = play.iam("mallory").upload_ssh_public_key(
        UserName=play["victim"], SSHPublicKeyBody="ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB example"
    )
    play.names["ssh"] = made["SSHPublicKey"]["SSHPublicKeyId"]


def certificate(play: Play) -> None:
    made = play.iam("mallory").upload_signing_certificate(
        UserName=play["victim"], CertificateBody="-----BEGIN CERTIFICATE-----\nexample"
    )
    play.names["certificate"] = made["Certificate"]["CertificateId"]


def _owner_is_free() -> Outcome:
    def check(play: Play) -> None:
        assert not play.policies_of("victim", "user")

    return then("victim herself is left alone", check)


ROWS = (
    Row(
        row=1,
        title="A new access key for another user",
        calls=("CreateAccessKey",),
        prepare=victim,
        attack=new_key,
        gave=("a new access key '{key}' of user '{victim}'",),
        ends=(inactive("key", "victim"), _owner_is_free()),
    ),
    Row(
        row=1,
        title="A second access key for oneself",
        calls=("CreateAccessKey",),
        attack=own_key,
        gave=("a new access key '{key}' of the caller itself, user '{mallory}'",),
        ends=(inactive("key", "mallory"),),
    ),
    Row(
        row=2,
        title="The same after freeing a slot",
        calls=("DeleteAccessKey", "CreateAccessKey"),
        prepare=victim_with_two_keys,
        attack=slot_and_key,
        gave=(
            "the access key '{old}' of user '{victim}', deleted",
            "a new access key '{key}' of user '{victim}'",
        ),
        ends=(
            inactive("key", "victim"),
            missing("A deleted access key cannot be restored: its owner needs a new one."),
        ),
    ),
    Row(
        row=3,
        title="An old access key switched on",
        calls=("UpdateAccessKey",),
        prepare=victim_with_an_old_key,
        attack=switch_on,
        gave=("the access key '{old}' of user '{victim}', set active",),
        ends=(inactive("old", "victim"),),
    ),
    Row(
        row=3,
        title="A colleague's access key switched off",
        calls=("UpdateAccessKey",),
        prepare=victim,
        attack=switch_off,
        gave=("the access key '{victims-key}' of user '{victim}', set inactive",),
        ends=(
            command(
                "aws iam update-access-key --user-name={victim} --access-key-id={victims-key} "
                "--status=Active",
                key_is_off,
            ),
        ),
    ),
    Row(
        row=4,
        title="A console password for a user who had none",
        calls=("CreateLoginProfile",),
        prepare=victim,
        attack=new_login,
        gave=("a console password for user '{victim}'",),
        ends=(
            done(TAINTED),
            command(
                "aws iam delete-login-profile --user-name={victim}",
                lambda play: has_login(play, "victim"),
            ),
        ),
    ),
    Row(
        row=4,
        title="A console password for a user of one's own making",
        calls=("CreateUser", "CreateLoginProfile"),
        attack=accomplice_with_login,
        gave=("a new user '{accomplice}'", "a console password for user '{accomplice}'"),
        contained=("mallory", "accomplice"),
        ends=(no_login("accomplice"),),
    ),
    Row(
        row=5,
        title="A console password reset",
        calls=("UpdateLoginProfile",),
        prepare=victim_with_login,
        attack=reset_login,
        gave=("a new console password for user '{victim}'",),
        ends=(done(TAINTED), missing(LOST), _owner_is_free()),
    ),
    Row(
        row=6,
        title="One's own console password changed",
        calls=("ChangePassword",),
        prepare=mallory_with_login,
        attack=own_password,
        contained=(),
        mail="",
        ends=(works("mallory", "self-service: mallory keeps IAM"),),
    ),
    Row(
        row=22,
        title="An MFA device taken off and deleted",
        calls=("DeactivateMFADevice", "DeleteVirtualMFADevice"),
        prepare=victim_with_device,
        attack=take_device,
        gave=(
            "the MFA device '{device}' of user '{victim}', deactivated",
            "the virtual MFA device '{device}', deleted",
        ),
        ends=(
            done(TAINTED),
            missing("Only its owner can enrol the device again, with two codes from it."),
        ),
    ),
    Row(
        row=23,
        title="The attacker's MFA device for another user",
        calls=("CreateVirtualMFADevice", "EnableMFADevice"),
        prepare=victim,
        attack=own_device,
        gave=("the MFA device '{device}' for user '{victim}'",),
        ends=(
            done(TAINTED),
            command(
                "aws iam deactivate-mfa-device --user-name={victim} --serial-number={device}",
                has_device,
            ),
        ),
    ),
    Row(
        row=31,
        title="A service-specific credential",
        calls=("CreateServiceSpecificCredential",),
        prepare=victim,
        attack=service_credential,
        gave=(
            (
                "a new service-specific credential '{credential}' of user '{victim}' for "
                "codecommit.amazonaws.com"
            ),
        ),
        ends=(inactive("credential", "victim", kind="service credential"),),
    ),
    Row(
        row=31,
        title="A service-specific credential's secret reset",
        calls=("ResetServiceSpecificCredential",),
        prepare=victim_with_service_credential,
        attack=reset_service_credential,
        gave=(
            "a new secret for the service-specific credential '{credential}' of user '{victim}'",
        ),
        ends=(inactive("credential", "victim", kind="service credential"),),
    ),
    Row(
        row=32,
        title="An SSH public key",
        calls=("UploadSSHPublicKey",),
        prepare=victim,
        attack=ssh_key,
        gave=("a new SSH public key '{ssh}' of user '{victim}'",),
        ends=(inactive("ssh", "victim", kind="SSH key"),),
    ),
    Row(
        row=33,
        title="An X.509 signing certificate",
        calls=("UploadSigningCertificate",),
        prepare=victim,
        attack=certificate,
        gave=("a new signing certificate '{certificate}' of user '{victim}'",),
        ends=(inactive("certificate", "victim", kind="certificate"),),
    ),
)
