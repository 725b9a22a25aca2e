"""For whom the emulator works right now: which account, which region, and who called.

Context variables, which the emulator's background tasks inherit; decides nothing.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

from sandbox import hooks

# The CloudTrail userIdentity behind the running work, None where it leaves no record. The ASGI
# layer sets it for each request, StackSets for what they do in a member account.
CALLER: ContextVar[dict[str, Any] | None] = ContextVar("sandbox_caller", default=None)


def scope(account: str, region: str = "us-east-1") -> AbstractContextManager[None]:
    """Let the emulator's stores answer for one account and region."""
    scoped: AbstractContextManager[None] = hooks.get("ministack.core.responses", "request_scope")(
        account, region
    )
    return scoped


def account_now() -> str:
    """The account that the running request belongs to, 12 digits."""
    return str(hooks.get("ministack.core.responses", "get_account_id")())


def region_now() -> str:
    """The region that the running request is for."""
    return str(hooks.get("ministack.core.responses", "get_region")())
