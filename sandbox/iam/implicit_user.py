"""IAM calls without a user name mean the calling user; the emulator takes them for nobody's.

Only where UserName is optional: sessions of roles must name a user, root means the account.
"""

from __future__ import annotations

from typing import Any

from sandbox.core import patches
from sandbox.core.calls import service_model

IAM = "ministack.services.iam"


def install() -> None:
    """Fill the name in, until the hooks are restored."""
    model = service_model("iam")
    for action in list(patches.get(IAM, "_IAM_HANDLERS")):
        shape = (
            model.operation_model(action).input_shape if action in model.operation_names else None
        )
        members = set(shape.members) - set(shape.required_members) if shape else set()
        if "UserName" in members:
            _fill(action)


def _fill(action: str) -> None:
    def handler(params: dict[str, Any]) -> Any:
        caller = str(patches.get("ministack.core.iam_evaluator", "caller_arn")())
        if not params.get("UserName") and ":user/" in caller:
            params = {**params, "UserName": [caller.rpartition("/")[2]]}
        elif not (params.get("UserName") or params.get("AllUsers")) and ":assumed-role/" in caller:
            message = "Must specify userName when calling with non-User credentials"
            return patches.get(IAM, "_error")(400, "ValidationError", message, ns="iam")
        return original(params)

    original = patches.replace_entry(IAM, "_IAM_HANDLERS", action, handler)
