"""The stripper: whoever is contained looks every 100 ms whether the deny is on her, and strips it.

A public tool does this within the seconds that IAM needs to apply a change. It plays with one
user's own key and stops when IAM refuses even the look.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from sandbox.demo.product_setup import PATIENCE_SECONDS, is_denied

PAUSE = 0.1


@dataclass
class Seen:
    """What the loop saw: for each look whether the deny was on, and how each strip went."""

    looks: list[bool] = field(default_factory=list)
    stripped: int = 0
    refused: int = 0

    @property
    def lost(self) -> bool:
        """Whether the deny was ever off again after it had been on."""
        first = self.looks.index(True) if True in self.looks else len(self.looks)
        return not all(self.looks[first:])


def strip_for(iam: Any, *, user: str, deny: str, seconds: float) -> Seen:
    """Look and strip until IAM refuses the look, or the time since the deny was first seen is over.

    A function that starts on a busy machine takes its time: that is no part of what is played.
    """
    seen, end = Seen(), time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            attached = iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]
        except iam.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
            return seen
        there = deny in [policy["PolicyArn"] for policy in attached]
        if there and True not in seen.looks:
            end = time.monotonic() + seconds
        seen.looks.append(there)
        if there and is_denied(lambda: iam.detach_user_policy(UserName=user, PolicyArn=deny)):
            seen.refused += 1
        elif there:
            seen.stripped += 1
        time.sleep(PAUSE)
    return seen
