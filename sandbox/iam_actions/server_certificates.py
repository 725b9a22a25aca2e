"""Server certificates of IAM, which the emulator lacks: uploaded, listed, deleted, never used."""

from __future__ import annotations

from typing import Any

from sandbox.core.request_context import account_now
from sandbox.iam_actions.credentials import Do
from sandbox.iam_actions.replies import IamError, Params, new_id, no_such, now, value


def server_certificates() -> dict[str, Do]:
    """The actions, over a store of their own."""
    kept: dict[tuple[str, str], dict[str, Any]] = {}

    def upload(params: Params) -> dict[str, Any]:
        name, path = value(params, "ServerCertificateName"), value(params, "Path", "/")
        account = account_now()
        if (account, name) in kept:
            message = f"The Server Certificate with name {name} already exists."
            raise IamError(409, "EntityAlreadyExists", message)
        kept[account, name] = {
            "Path": path,
            "ServerCertificateName": name,
            "ServerCertificateId": new_id("ASCA"),
            "Arn": f"arn:aws:iam::{account}:server-certificate{path}{name}",
            "UploadDate": now(),
        }
        return {"ServerCertificateMetadata": kept[account, name]}

    def listing(_params: Params) -> dict[str, Any]:
        found = [one for (account, _), one in kept.items() if account == account_now()]
        return {"ServerCertificateMetadataList": found, "IsTruncated": "false"}

    def delete(params: Params) -> dict[str, Any]:
        name = value(params, "ServerCertificateName")
        if kept.pop((account_now(), name), None) is None:
            raise no_such("Server Certificate", name)
        return {}

    return {
        "UploadServerCertificate": upload,
        "ListServerCertificates": listing,
        "DeleteServerCertificate": delete,
    }
