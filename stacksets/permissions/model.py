"""One permission of the operator, as a value: an IAM action, on what, and what it is for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Permission:
    """`resource` and each of `only` are ARNs after `arn:aws:`, or "*". Where `key` is given, one of
    `only` has to be what that condition key holds."""

    action: str
    resource: str
    why: str
    key: str = ""
    only: tuple[str, ...] = ()

    @property
    def on(self) -> str:
        """The second column of the printed tables."""
        allowed = " or ".join(f"`{one}`" for one in self.only)
        return f"`{self.resource}`" + (f", only where `{self.key}` is {allowed}" if allowed else "")

    def condition(self, partition: str) -> dict[str, dict[str, list[str]]]:
        """The Condition of a statement; empty where there is none."""
        if not self.only:
            return {}
        return {"ArnLike": {self.key: [f"arn:{partition}:{one}" for one in self.only]}}
