"""For whom the emulator works right now: which account, which region, and who called.

Context variables, which the emulator's background tasks inherit; decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

from sandbox.core import patches
from sandbox.core.state import Request, State

# The CloudTrail userIdentity behind the running work, None where it leaves no record. The ASGI
# layer sets it for each request, StackSets for what they do in a member account.
CALLER: ContextVar[dict[str, Any] | None] = ContextVar("sandbox_caller", default=None)


def scope(account: str, region: str = "us-east-1") -> AbstractContextManager[None]:
    """Let the emulator's stores answer for one account and region."""
    scoped: AbstractContextManager[None] = patches.get("ministack.core.responses", "request_scope")(
        account, region
    )
    return scoped


def account_now() -> str:
    """The account that the running request belongs to, 12 digits."""
    return str(patches.get("ministack.core.responses", "get_account_id")())


def region_now() -> str:
    """The region that the running request is for."""
    return str(patches.get("ministack.core.responses", "get_region")())


def refused_to_caller(
    state: State, action: str, resource: str, context: Mapping[str, Any] | None = None
) -> str | None:
    """Why service control policies refuse what is done for the caller of the running work; None
    when they do not, or when it is the sandbox's own."""
    caller = CALLER.get()
    if caller is None:
        return None
    return state.refusal(
        Request(
            principal=str(caller.get("arn", "")),
            account=str(caller.get("accountId", "")),
            action=action,
            resource=resource,
            region=region_now(),
            context=context or {},
        )
    )
