"""Access keys and console passwords, as IAM's own operations name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.doubles.iam_entities import KEY_QUOTA, refuse

if TYPE_CHECKING:
    from tests.doubles.iam import MemoryIam


def create_access_key(iam: MemoryIam, *, UserName: str) -> dict[str, Any]:
    keys = iam.user(UserName, "CreateAccessKey").keys
    if len(keys) >= KEY_QUOTA:
        raise refuse("LimitExceeded", "CreateAccessKey", f"quota {KEY_QUOTA}")
    key = iam.number("AKIA")
    keys[key] = "Active"
    return {"AccessKey": {"UserName": UserName, "AccessKeyId": key, "Status": "Active"}}


def update_access_key(iam: MemoryIam, *, UserName: str, AccessKeyId: str, Status: str) -> None:
    _switch(iam, UserName, AccessKeyId, Status, "UpdateAccessKey")


def delete_access_key(iam: MemoryIam, *, UserName: str, AccessKeyId: str) -> None:
    keys = iam.user(UserName, "DeleteAccessKey").keys
    if AccessKeyId not in keys:
        raise refuse("NoSuchEntity", "DeleteAccessKey", f"key {AccessKeyId}")
    del keys[AccessKeyId]


def update_service_specific_credential(
    iam: MemoryIam, *, UserName: str, ServiceSpecificCredentialId: str, Status: str
) -> None:
    _switch(iam, UserName, ServiceSpecificCredentialId, Status, "UpdateServiceSpecificCredential")


def update_ssh_public_key(
    iam: MemoryIam, *, UserName: str, SSHPublicKeyId: str, Status: str
) -> None:
    _switch(iam, UserName, SSHPublicKeyId, Status, "UpdateSSHPublicKey")


def update_signing_certificate(
    iam: MemoryIam, *, UserName: str, CertificateId: str, Status: str
) -> None:
    _switch(iam, UserName, CertificateId, Status, "UpdateSigningCertificate")


def _switch(iam: MemoryIam, user: str, credential: str, status: str, operation: str) -> None:
    keys = iam.user(user, operation).keys
    if credential not in keys:
        raise refuse("NoSuchEntity", operation, credential)
    keys[credential] = status


def create_login_profile(iam: MemoryIam, *, UserName: str, Password: str) -> None:
    user = iam.user(UserName, "CreateLoginProfile")
    if user.password:
        raise refuse("EntityAlreadyExists", "CreateLoginProfile", "has a login profile")
    user.password = True


def update_login_profile(iam: MemoryIam, *, UserName: str, Password: str) -> None:
    user = iam.user(UserName, "UpdateLoginProfile")
    if not user.password:
        raise refuse("NoSuchEntity", "UpdateLoginProfile", "no login profile")


def delete_login_profile(iam: MemoryIam, *, UserName: str) -> None:
    user = iam.user(UserName, "DeleteLoginProfile")
    if not user.password:
        raise refuse("NoSuchEntity", "DeleteLoginProfile", "no login profile")
    user.password = False


OPERATIONS = {
    operation.__name__: operation
    for operation in (
        create_access_key,
        update_access_key,
        update_service_specific_credential,
        update_ssh_public_key,
        update_signing_certificate,
        delete_access_key,
        create_login_profile,
        update_login_profile,
        delete_login_profile,
    )
}
