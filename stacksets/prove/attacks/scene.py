"""Where a proof is played: one account and its clients, as a value. Calls nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from handler.model.settings import Settings
from stacksets.execute.waiters import Waiting

# Every throw-away principal stands under it, so that a later run finds what an earlier one left.
# The path and the names are no names of the product's: those are the tamper rules' and the
# guardrail's.
PATH = "/iam-org-revoker-proof/"
# OIDC providers have no path: their URL ends so.
PROVIDER_HOST = "iam-org-revoker-proof.example.com"
AT_ONCE = 8


@dataclass(frozen=True)
class Scene:
    """`settings` are the deployed revoker's; `outsider` is another account that exists. `iam` and
    `sts` are the operator's; `by_key` opens the IAM of a pair of keys. `run` is part of every name,
    since IAM is slow with a name that was deleted a moment ago."""

    account: str
    partition: str
    region: str
    outsider: str
    settings: Settings
    has_group: bool
    iam: Any
    sts: Any
    by_key: Callable[[Mapping[str, str]], Any]
    run: str
    waiting: Waiting
