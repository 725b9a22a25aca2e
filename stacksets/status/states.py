"""The states of an account, the closed list, and a finding that puts it into one. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """What an account is, in the order in which it matters: what is amiss comes first, and of that
    the first in this list."""

    SUSPENDED = "suspended"
    EXCLUDED = "excluded"
    NOT_REACHED = "not reached"
    FAILED = "failed"
    NOT_REPORTING = "silent"
    UNHEALTHY = "ill"
    NOT_ENFORCING = "not enforcing"
    DRIFTED = "drifted"
    OUTDATED = "outdated"
    COVERED = "covered"


STATES = {
    State.COVERED: "The revoker enforces, is up to date, and its self-test passed within two days.",
    State.NOT_ENFORCING: "The revoker works, and only tells who would lose IAM.",
    State.OUTDATED: "Another version, template or set of parameters than the file asks for.",
    State.DRIFTED: "Somebody changed what was rolled out.",
    State.UNHEALTHY: (
        "The revoker is heard of, and its self-test did not pass, no event reaches it, or events "
        "lie unanswered or come through the dead-letter queue."
    ),
    State.NOT_REPORTING: "No heartbeat within 35 minutes, or none ever.",
    State.FAILED: "CloudFormation could not make or update the stack; its reason stands beside.",
    State.NOT_REACHED: "No ring has it, or its ring was not rolled out to it.",
    State.EXCLUDED: "Left out by choice; the reason stands beside, and whether it has it still.",
    State.SUSPENDED: "Suspended or about to be closed: nothing runs there.",
}
# What nobody wants covered; everything else should be.
LEFT_OUT = frozenset({State.SUSPENDED, State.EXCLUDED})


@dataclass(frozen=True)
class Finding:
    """A state with why and what to do, a sentence each; `amiss`: not as the file wants it."""

    state: State
    why: str
    todo: str = ""
    amiss: bool = True
