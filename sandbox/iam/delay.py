"""IAM changes that take a while to count: the window in which a deny can still be stripped.

A principal who was there before a change of policies, groups or boundaries is judged by what she
had then, until the delay is over; List and Get show the change at once, as on AWS. Trust
policies, keys and the sandbox's own quiet calls count at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.core import patches
from sandbox.core.calls import quiet
from sandbox.core.request_context import CALLER, account_now
from sandbox.core.state import State

EVALUATOR = "ministack.core.iam_evaluator"
IAM = "ministack.services.iam"
READS = ("Get", "List", "Simulate", "Generate")
STORES = {"User": "_users", "Role": "_roles"}

# (policies, boundary), as the evaluator gathers them, by (kind, id of the user or role).
Allowed = dict[tuple[str, str], tuple[Any, Any]]


@dataclass
class Delay:
    """What everybody had just before each change, by account, oldest first."""

    state: State
    _before: dict[str, list[tuple[float, Allowed]]] = field(default_factory=dict)
    _gather: dict[str, Any] = field(default_factory=dict)

    def install(self) -> None:
        """Put it between IAM's changes and the evaluator, until the hooks are restored."""
        for kind in STORES:
            name = f"_gather_{kind.lower()}_policies"
            self._gather[kind] = patches.replace(EVALUATOR, name, self._policies(kind))
        self._gather["boundary"] = patches.replace(
            EVALUATOR, "_permissions_boundary", self._boundary
        )
        for action, plain in list(patches.get(IAM, "_IAM_HANDLERS").items()):
            if not action.startswith(READS):
                patches.replace_entry(IAM, "_IAM_HANDLERS", action, self._noted(plain))

    def _policies(self, kind: str) -> Any:
        def policies(name: str, account: str) -> Any:
            held = self._held(kind, name, account)
            return held[0] if held else self._gather[kind](name, account)

        return policies

    def _boundary(self, store: Any, name: str, account: str) -> Any:
        kind = "User" if store is patches.get(IAM, STORES["User"]) else "Role"
        held = self._held(kind, name, account)
        return held[1] if held else self._gather["boundary"](store, name, account)

    def _held(self, kind: str, name: str, account: str) -> tuple[Any, Any] | None:
        """What a principal had before the oldest change that does not count yet."""
        delay = self.state.iam_delay
        entity = patches.get(IAM, STORES[kind]).get_scoped(account, None, name)
        if not delay or entity is None:
            return None
        edge, key = self.state.now() - delay, (kind, entity[f"{kind}Id"])
        for when, allowed in list(self._before.get(account, [])):
            if when > edge and key in allowed:
                return allowed[key]
        return None

    def _noted(self, plain: Any) -> Any:
        def handler(params: Any) -> Any:
            if not self.state.iam_delay:
                return plain(params)
            account, before = account_now(), self._everybody()
            if quiet.get() or CALLER.get() is None:
                answer = plain(params)
                self._forget(account, before, self._everybody())
                return answer
            now = self.state.now()
            kept = [
                one for one in self._before.get(account, []) if one[0] > now - self.state.iam_delay
            ]
            self._before[account] = [*kept, (now, before)]
            return plain(params)

        return handler

    def _everybody(self) -> Allowed:
        account = account_now()
        return {
            (kind, entity[f"{kind}Id"]): (
                self._gather[kind](name, account),
                self._gather["boundary"](patches.get(IAM, store), name, account),
            )
            for kind, store in STORES.items()
            for name, entity in patches.get(IAM, store).items()
        }

    def _forget(self, account: str, before: Allowed, after: Allowed) -> None:
        """Whom the sandbox itself changed is as she is now."""
        for key in before.keys() | after.keys():
            if before.get(key) != after.get(key):
                for _, allowed in self._before.get(account, []):
                    allowed.pop(key, None)
