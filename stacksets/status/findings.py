"""Whether one account is covered, and why not: every finding in words. Pure.

The first finding is the account's state, the others stand beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from handler.model.heartbeat import BY_DEAD_LETTER, NOT_REPORTING_SECONDS, Heartbeat
from handler.model.names import CALLS_RULE, CANARY_RULE, REVOKER, STATE_TABLE, TAMPER_RULE, VERSION
from stacksets.observed.heartbeats import LastHeartbeat
from stacksets.status.states import Finding, State
from stacksets.steps.guardrail import many

DAY_SECONDS = 86_400
# The self-test runs once a day: one may be missed.
TESTED_SECONDS = 2 * DAY_SECONDS
# What keeps EventBridge from invoking the revoker (its User Guide, "Troubleshooting").
UNREACHED = (
    f"Look there at the resource policy of the function {REVOKER} (`aws lambda get-policy`), at "
    f"the targets of the rules {CALLS_RULE} and {CANARY_RULE}, at throttling of the function, and "
    "at its log."
)


@dataclass(frozen=True)
class Rolled:
    """What the rollout says of one account, StackSet or stack alike.

    `source` names what carries it (`StackSet iam-org-revoker-canary`). `under_way`: AWS works on
    it. `reason` is AWS's, where it failed. `old`: it has another template or parameters than the
    file. `settings` is the fingerprint of the parameters that it was rolled out with.
    """

    source: str
    under_way: bool = False
    failed: bool = False
    reason: str = ""
    drifted: bool = False
    old: str = ""
    settings: str = ""


@dataclass(frozen=True)
class AccountFacts:
    """Everything known of one account.

    `status` is what Organizations says. `place` names its ring, "" for none; `excluded` is the
    reason or None. `rolled` is None where nothing was rolled out, and where nobody may look
    (`may_look` is False then). `judge_silence`: others report. `below_root`: it is in no OU.
    """

    status: str
    place: str
    mode: str
    excluded: str | None
    rolled: Rolled | None
    may_look: bool
    heard: LastHeartbeat | None
    judge_silence: bool
    now: float
    below_root: bool = False


def findings(known: AccountFacts) -> tuple[Finding, ...]:
    """Every finding, the one that matters most first; never empty."""
    if known.status != "ACTIVE":
        why = f"Organizations says {known.status}: nothing runs there."
        return (Finding(State.SUSPENDED, why, amiss=False),)
    if known.excluded is not None:
        return (_left_out(known, _sentence(known.excluded)),)
    found = [*_reached(known)]
    if not found or known.heard:
        found += _heard(known)
    # An account that observes as it should, and is outdated, is outdated.
    found.sort(key=lambda one: (not one.amiss, list(State).index(one.state)))
    return tuple(found)


def _left_out(known: AccountFacts, reason: str) -> Finding:
    """Left out as the file says, or not yet."""
    if known.rolled is not None:
        return Finding(
            State.EXCLUDED,
            f"{reason} All the same it has the product, by {known.rolled.source}.",
            "Run plan: it takes the stack away, or says how it goes.",
        )
    if known.heard is not None and known.now - known.heard.at <= NOT_REPORTING_SECONDS:
        return Finding(
            State.EXCLUDED,
            f"{reason} All the same a revoker there sent a heartbeat "
            f"{ago(known.now - known.heard.at)}.",
            "If its stack was not taken away just now, look for one that was made by hand.",
        )
    return Finding(State.EXCLUDED, reason, amiss=False)


def _reached(known: AccountFacts) -> Iterator[Finding]:
    rolled = known.rolled
    if not known.place:
        yield _in_no_ring(known)
        return
    if rolled is None:
        if known.may_look:
            yield Finding(
                State.NOT_REACHED,
                f"Nothing was rolled out to it: {known.place} has no stack there.",
                "Run apply. An account that joined a moment ago is reached within minutes.",
            )
        return
    if rolled.failed:
        said = rolled.reason or "AWS gave no reason"
        yield Finding(
            State.FAILED,
            f"{rolled.source} failed there. AWS: {_sentence(said)}",
            "Mend what AWS names, then run apply.",
        )
    elif rolled.under_way:
        yield Finding(
            State.OUTDATED if known.heard else State.NOT_REACHED,
            f"{rolled.source} is being rolled out to it.",
            "Wait for the operation to end.",
        )
    elif rolled.old:
        yield Finding(State.OUTDATED, f"{rolled.source} {rolled.old}", "Run apply.")
    if rolled.drifted:
        yield Finding(
            State.DRIFTED,
            f"CloudFormation finds that {rolled.source} was changed there by hand.",
            "Run drift: it names the resources, and with --repair it mends them or says how.",
        )


def _in_no_ring(known: AccountFacts) -> Finding:
    if known.below_root:
        # A ring of the root would hold the units of the others.
        return Finding(
            State.NOT_REACHED,
            "It stands right below the root, in no unit of a ring.",
            "Move it into a unit of a ring, or add it to [[excluded]] with the reason.",
        )
    return Finding(
        State.NOT_REACHED,
        "No ring of the file has its unit.",
        "Add its unit to a ring, or the account to [[excluded]] with the reason.",
    )


def _heard(known: AccountFacts) -> Iterator[Finding]:
    heard = known.heard
    if heard is None:
        if known.judge_silence:
            yield Finding(
                State.NOT_REPORTING,
                "It was never heard of.",
                "The first heartbeat comes within 20 minutes of the stack. If none does, read the "
                "revoker's log there.",
            )
        else:
            yield Finding(
                State.UNHEALTHY,
                "It was never heard of, and the central account cannot say why.",
                "Ask again in 35 minutes: the central account listens by then, or alarms say why.",
            )
        return
    waited = known.now - heard.at
    if waited > NOT_REPORTING_SECONDS and known.judge_silence:
        yield Finding(
            State.NOT_REPORTING,
            f"Its last heartbeat was {ago(waited)}.",
            "See whether stack, schedule and function are there, and read the revoker's log.",
        )
    if heard.beat is None:
        yield Finding(
            State.OUTDATED,
            "Its heartbeat is of another layout than this version reads.",
            "Run apply with the newest version.",
        )
    else:
        yield from _beat(known, heard.beat)


def _beat(known: AccountFacts, beat: Heartbeat) -> Iterator[Finding]:
    yield from _events(known, beat)
    for rule, state in ((CALLS_RULE, beat.rule), (f"{TAMPER_RULE}*", beat.tamper_rule)):
        if state and not state.startswith("ENABLED"):
            yield Finding(
                State.DRIFTED,
                f"The rule {rule} is {state}.",
                "Somebody switched it off: find out who, then enable it, or run drift --repair.",
            )
    if beat.table_policy in ("missing", "changed"):
        yield Finding(
            State.DRIFTED,
            f"The resource policy of the table {STATE_TABLE} is {beat.table_policy}: others may "
            "write the ledger.",
            "Put it back by the command in docs/removing.md: neither apply nor drift does.",
        )
    if beat.product_version != VERSION:
        yield Finding(
            State.OUTDATED,
            f"Its version is {_shown(beat.product_version)}; this release is {VERSION}.",
            "Run apply.",
        )
    elif _differs(known, beat):
        yield Finding(
            State.DRIFTED,
            "The revoker works with other parameters than its stack.",
            "After a change this takes 20 minutes; else somebody changed the function by hand.",
        )
    if beat.mode == "enforce":
        yield Finding(State.COVERED, "", amiss=False)
    elif known.mode == "enforce":
        yield Finding(State.NOT_ENFORCING, "It observes, and the file says enforce.", "Run apply.")
    else:
        todo = "Set mode to enforce in the file when its mails are as they should be."
        yield Finding(State.NOT_ENFORCING, "It observes, as the file says.", todo, amiss=False)


def _events(known: AccountFacts, beat: Heartbeat) -> Iterator[Finding]:
    """Whether events reach the revoker, and its self-test says so."""
    test, again = beat.self_test, "The next one comes within the hour; `responder self-test` now."
    if beat.trail in ("stopped", "none"):
        said = "is stopped" if beat.trail == "stopped" else "is missing"
        yield Finding(
            State.UNHEALTHY,
            f"The trail {said}: no call is seen.",
            "Start a trail that logs IAM's calls.",
        )
    if beat.dead_letters > 0:
        # The same illness as the notifier's mail: a call that was seen and not answered.
        yield Finding(
            State.UNHEALTHY,
            f"{many(beat.dead_letters, 'event')} could not be handled, and the caller may be free.",
            "Reconciliation tries them again every 15 minutes: the revoker's log there says why.",
        )
    if not test.at:
        yield Finding(State.UNHEALTHY, "Its self-test has not ended yet.", again)
    elif not test.ok:
        todo = UNREACHED if test.error.startswith(BY_DEAD_LETTER) else again
        yield Finding(State.UNHEALTHY, f"Its self-test failed: {_sentence(test.error)}", todo)
    elif known.now - test.at > TESTED_SECONDS:
        waited = ago(known.now - test.at)
        yield Finding(
            State.UNHEALTHY, f"Its last self-test was {waited}.", "Run `responder self-test`."
        )
    if beat.redriven > 0:
        yield Finding(
            State.UNHEALTHY,
            f"{many(beat.redriven, 'event')} came through the dead-letter queue: the caller was "
            "free for up to 20 minutes.",
            UNREACHED,
        )


def _differs(known: AccountFacts, beat: Heartbeat) -> bool:
    there = known.rolled.settings if known.rolled else ""
    return bool(there and beat.settings) and there != beat.settings


def ago(seconds: float) -> str:
    """So long ago, in the largest whole unit."""
    for unit, size in (("day", DAY_SECONDS), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "a moment ago"


def _sentence(text: str) -> str:
    """In one line, with a full stop."""
    line = re.sub(r"\s+", " ", text).strip() or "no reason given"
    return line if line.endswith((".", "!", "?")) else f"{line}."


def _shown(version: str) -> str:
    return version or "unknown"
