"""What the revoker would have done with recorded calls, judged and tallied. Pure; changes nothing.

Each call is judged alone, as in enforce mode, since nothing was contained when it was made: by the
rules of handler/revoker/judge/rules.py, with the administrators and roles that one names. What the
revoker has from a history is left out: the ledger, what calls gave and whom that taints, releases,
the breaker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from handler.model.cloudtrail import Call, CallerKind, read_event, read_record
from handler.model.names import REVOKER, iam_arn
from handler.model.reasons import Action, Standing, Verdict
from handler.model.settings import Settings, read_role_patterns, read_settings
from handler.revoker.judge.rules import decide

IAM = "iam.amazonaws.com"
# The most serious first: the order in which they are shown.
ORDER = (Action.CONTAIN, Action.CRITICAL, Action.WOULD_CONTAIN, Action.REPORT, Action.IGNORE)
# Replay sends nothing, yet the settings want a bus.
NO_BUS = "arn:aws:events:us-east-1:000000000000:event-bus/iam-org-revoker"


@dataclass(frozen=True)
class Rules:
    """Settings, and the users (names or ARNs) that count as in the administrators' group."""

    settings: Settings
    admins: frozenset[str]


@dataclass(frozen=True)
class Judged:
    """A call that the rule would have delivered, and its verdict."""

    call: Call
    verdict: Verdict

    @property
    def caller(self) -> str:
        return name_caller(self.call)


class Passed(Enum):
    """Why a record is not judged: the rule would not have delivered it."""

    OTHER_SERVICE = "other-service"
    READ_ONLY = "read-only"


@dataclass(frozen=True)
class Line:
    """One line of the result: all calls of one caller with one verdict."""

    action: Action
    reason: str
    caller: str
    calls: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.calls.values())


def read_rules(*, admins: Iterable[str], admin_roles: Iterable[str]) -> Rules:
    """Rules in enforce mode, `admin_roles` beside the defaults; ValueError names a bad pattern."""
    settings = read_settings({"MODE": "enforce", "CENTRAL_BUS_ARN": NO_BUS})
    more = (pattern for text in admin_roles for pattern in read_role_patterns(text))
    return Rules(
        settings=replace(settings, admin_roles=(*settings.admin_roles, *more)),
        # IAM user names are unique whatever their case.
        admins=frozenset(name.casefold() for name in admins),
    )


def judge(record: Mapping[str, Any], rules: Rules) -> Judged | Passed:
    """The verdict on one record, bare or in an EventBridge envelope."""
    wrapped = isinstance(record.get("detail"), dict) and "detail-type" in record
    # First, and without reading the rest: in most trails nearly every record is another service's.
    if (record["detail"] if wrapped else record).get("eventSource") != IAM:
        return Passed.OTHER_SERVICE
    call = read_event(record) if wrapped else read_record(record)
    if call.read_only:
        return Passed.READ_ONLY
    verdict = decide(
        call,
        Standing(administrator=_is_admin(call, rules)),
        rules.settings,
        own_role_arn=iam_arn(
            partition=call.caller.partition, account=call.account, kind="role", name=REVOKER
        ),
    )
    return Judged(call=call, verdict=verdict)


def _is_admin(call: Call, rules: Rules) -> bool:
    caller = call.caller
    known = {caller.name.casefold(), caller.arn.casefold()} - {""}
    return caller.kind is CallerKind.USER and not known.isdisjoint(rules.admins)


def name_caller(call: Call) -> str:
    """The caller's ARN, or what else the record tells of it. As recorded: escape it to print it."""
    caller = call.caller
    name = caller.name or caller.id or caller.invoked_by or call.account
    return caller.arn or f"{caller.type or 'no type'} {name}".strip()


def as_json(judged: Judged) -> dict[str, str]:
    """One judged event as `--json` prints it."""
    return {
        "eventID": judged.call.event_id,
        "eventTime": judged.call.time_text,
        "account": judged.call.account,
        "caller": judged.caller,
        "call": judged.call.name,
        "action": judged.verdict.action.value,
        "reason": judged.verdict.reason.value,
    }


class Tally:
    """Counts of what was seen; grows with callers and kinds of calls, never with events."""

    def __init__(self) -> None:
        self.passed: Counter[Passed] = Counter()
        self._judged: Counter[tuple[Action, str, str, str]] = Counter()

    def add(self, seen: Judged | Passed) -> None:
        match seen:
            case Passed():
                self.passed[seen] += 1
            case Judged(call=call, verdict=verdict):
                self._judged[verdict.action, verdict.reason.value, seen.caller, call.name] += 1

    def lines(self) -> list[Line]:
        """By action, the most serious first; within it by number of calls, then by caller."""
        grouped: dict[tuple[Action, str, str], Counter[str]] = {}
        for (action, reason, caller, call), number in self._judged.items():
            grouped.setdefault((action, reason, caller), Counter())[call] += number
        lines = [
            Line(action=action, reason=reason, caller=caller, calls=calls)
            for (action, reason, caller), calls in grouped.items()
        ]
        return sorted(lines, key=lambda line: (ORDER.index(line.action), -line.total, line.caller))

    def summary(self) -> dict[str, Any]:
        """The figures of all lines, JSON types only."""
        lines = self.lines()
        actions = Counter[str]()
        for line in lines:
            actions[line.action.value] += line.total
        judged = actions.total()
        return {
            "records": judged + self.passed.total(),
            "otherServices": self.passed[Passed.OTHER_SERVICE],
            "readOnly": self.passed[Passed.READ_ONLY],
            "judged": judged,
            "actions": {action.value: actions[action.value] for action in ORDER},
            "callersContained": len(
                {line.caller for line in lines if line.action is Action.CONTAIN}
            ),
        }


def most_called(line: Line, limit: int = 3) -> Iterator[str]:
    """The calls of a line as words: the most frequent ones, then how many other kinds."""
    ranked = sorted(line.calls.items(), key=lambda item: (-item[1], item[0]))
    for name, number in ranked[:limit]:
        yield f"{name or '(no name)'} {number}"
    if len(ranked) > limit:
        yield f"{len(ranked) - limit} other kinds"
