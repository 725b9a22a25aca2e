"""Credentials that the emulator's IAM lacks: service-specific ones, SSH keys, certificates.

They are kept and listed, and leave with their user; nothing can be signed in with them. Quotas:
IAM User Guide, "IAM and AWS STS quotas", and the API Reference of each action.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.core import patches
from sandbox.core.request_context import account_now
from sandbox.iam_actions.replies import IAM, IamError, Params, new_id, no_such, now, value

Do = Callable[[Params], Mapping[str, Any]]

STATUSES = ("Active", "Inactive")
BEDROCK = "bedrock.amazonaws.com"


@dataclass(frozen=True)
class CredentialKind:
    """One kind of credential: the suffix of its actions, its id, its keys in answers, its quota."""

    suffix: str
    id: str
    prefix: str
    one: str
    many: str
    most: int


SERVICE = CredentialKind(
    "ServiceSpecificCredential",
    "ServiceSpecificCredentialId",
    "ACCA",
    "ServiceSpecificCredential",
    "ServiceSpecificCredentials",
    2,
)
SSH = CredentialKind("SSHPublicKey", "SSHPublicKeyId", "APKA", "SSHPublicKey", "SSHPublicKeys", 5)
SIGNING = CredentialKind(
    "SigningCertificate", "CertificateId", "", "Certificate", "Certificates", 2
)


@dataclass
class Kept:
    """The credentials of all accounts by (account, id), and who owns each: a user id, which a
    renamed user keeps."""

    _by_id: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def actions(self) -> dict[str, Do]:
        table: dict[str, Do] = {
            "CreateServiceSpecificCredential": self._create,
            "ResetServiceSpecificCredential": self._reset,
            "UploadSSHPublicKey": self._upload_ssh,
            "UploadSigningCertificate": self._upload_signing,
            "GetSSHPublicKey": lambda params: {SSH.one: _shown(self._find(SSH, params))},
        }
        for kind in (SERVICE, SSH, SIGNING):
            table |= self._life_of(kind)
        return table

    def of_user(self, user_id: str) -> list[dict[str, Any]]:
        """What a user of the running request's account holds."""
        account = account_now()
        return [
            one
            for (held, _), one in self._by_id.items()
            if held == account and one["_owner"] == user_id
        ]

    def _life_of(self, kind: CredentialKind) -> dict[str, Do]:
        def update(params: Params) -> dict[str, Any]:
            status = value(params, "Status")
            if status not in STATUSES:
                message = f"Value '{status}' at 'status' failed to satisfy constraint"
                raise IamError(400, "ValidationError", message)
            self._find(kind, params)["Status"] = status
            return {}

        def delete(params: Params) -> dict[str, Any]:
            self._by_id.pop((account_now(), self._find(kind, params)[kind.id]))
            return {}

        def listing(params: Params) -> dict[str, Any]:
            wanted = value(params, "ServiceName")
            everybody = value(params, "AllUsers").lower() == "true"
            users = patches.get(IAM, "_users").values() if everybody else [_user(params)]
            found = [
                _shown(one)
                for user in users
                for one in self.of_user(user["UserId"])
                if kind.id in one and wanted in ("", one.get("ServiceName"))
            ]
            return {kind.many: found, "IsTruncated": "false"}

        return {
            f"Update{kind.suffix}": update,
            f"Delete{kind.suffix}": delete,
            f"List{kind.suffix}s": listing,
        }

    def _add(
        self, kind: CredentialKind, user: dict[str, Any], dated: str, **content: str
    ) -> dict[str, Any]:
        held = [
            one
            for one in self.of_user(user["UserId"])
            if kind.id in one and one.get("ServiceName") == content.get("ServiceName")
        ]
        if len(held) >= kind.most:
            message = f"Cannot exceed quota for {kind.suffix}sPerUser: {kind.most}"
            raise IamError(409, "LimitExceeded", message)
        key = new_id(kind.prefix, 21 if kind.prefix else 32)
        made = {kind.id: key, "Status": "Active", dated: now(), **content}
        self._by_id[account_now(), key] = {**made, "_owner": user["UserId"]}
        return self._by_id[account_now(), key]

    def _create(self, params: Params) -> dict[str, Any]:
        user, service = _user(params), value(params, "ServiceName")
        name = f"{user['UserName']}-at-{account_now()}"
        content = {"ServiceName": service}
        content["ServiceCredentialAlias" if service == BEDROCK else "ServiceUserName"] = name
        if days := value(params, "CredentialAgeDays"):
            until = datetime.fromisoformat(now()) + timedelta(days=int(days))
            content["ExpirationDate"] = until.strftime("%Y-%m-%dT%H:%M:%SZ")
        made = self._add(SERVICE, user, "CreateDate", **content)
        return {SERVICE.one: {**_shown(made), **_secret(service)}}

    def _reset(self, params: Params) -> dict[str, Any]:
        found = self._find(SERVICE, params)
        return {SERVICE.one: {**_shown(found), **_secret(found["ServiceName"])}}

    def _upload_ssh(self, params: Params) -> dict[str, Any]:
        digest = uuid.uuid4().hex
        fingerprint = ":".join(digest[at : at + 2] for at in range(0, 32, 2))
        body = value(params, "SSHPublicKeyBody")
        made = self._add(
            SSH, _user(params), "UploadDate", SSHPublicKeyBody=body, Fingerprint=fingerprint
        )
        return {SSH.one: _shown(made)}

    def _upload_signing(self, params: Params) -> dict[str, Any]:
        body = value(params, "CertificateBody")
        made = self._add(SIGNING, _user(params), "UploadDate", CertificateBody=body)
        return {SIGNING.one: _shown(made)}

    def _find(self, kind: CredentialKind, params: Params) -> dict[str, Any]:
        key = value(params, kind.id)
        found = self._by_id.get((account_now(), key))
        named = value(params, "UserName")
        if (
            found is None
            or kind.id not in found
            or (named and _user(params)["UserId"] != found["_owner"])
        ):
            message = f"The {kind.one} with id {key} cannot be found."
            raise IamError(404, "NoSuchEntity", message)
        return found


def change_password(_params: Params) -> dict[str, Any]:
    """Of the calling user; the emulator keeps no password, so the old one is never wrong."""
    caller = str(patches.get("ministack.core.iam_evaluator", "caller_arn")())
    if ":user/" not in caller:
        raise IamError(400, "InvalidUserType", "Only IAM users can change their own password.")
    name = caller.rpartition("/")[2]
    profile = patches.get(IAM, "_login_profiles").get(name)
    if profile is None:
        message = f"Login Profile for User {name} cannot be found."
        raise IamError(404, "NoSuchEntity", message)
    profile["PasswordResetRequired"] = False
    return {}


def _user(params: Params) -> dict[str, Any]:
    name = value(params, "UserName")
    found: dict[str, Any] | None = patches.get(IAM, "_users").get(name)
    if found is None:
        raise no_such("user", name)
    return found


def _shown(held: dict[str, Any]) -> dict[str, Any]:
    users = patches.get(IAM, "_users").values()
    owner = next((one["UserName"] for one in users if one["UserId"] == held["_owner"]), "")
    return {"UserName": owner, **{k: v for k, v in held.items() if not k.startswith("_")}}


def _secret(service: str) -> dict[str, str]:
    name = "ServiceCredentialSecret" if service == BEDROCK else "ServicePassword"
    return {name: uuid.uuid4().hex}
