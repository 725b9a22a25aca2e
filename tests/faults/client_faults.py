"""Every call of AWS passes here: written down, and some of them fail as a plan says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.parsers import ResponseParserError


class Died(BaseException):
    """The end of the process: nothing of ours may catch it."""


class Fault(Enum):
    """What becomes of one call."""

    THROTTLED = "throttled"
    REFUSED = "refused"
    LOST = "timed out after it worked"
    REPEATED = "the same, and the SDK asks again"
    CONFLICT = "transaction conflict"
    PARTIAL = "done in part"
    EMPTY = "empty answer"
    GARBLED = "unreadable answer"
    DIES_BEFORE = "dies before it"
    DIES_AFTER = "dies after it"


# What no process answers, however well it is written: it is not there any more.
DEATHS = frozenset({Fault.DIES_BEFORE, Fault.DIES_AFTER})
# What may last: no answer, a refusal, work that nobody hears of, a process that dies each time.
LASTING = frozenset({Fault.THROTTLED, Fault.REFUSED, Fault.LOST, *DEATHS})
READING = ("get_", "list_", "describe_", "batch_get_", "scan", "lookup_")
WRITES_OF_A_TABLE = frozenset({"put_item", "update_item", "delete_item", "transact_write_items"})
IN_PART = frozenset({"batch_get_item", "put_events"})
THROTTLED_CODES = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "sns": "Throttled",
    "sqs": "RequestThrottled",
    "iam": "Throttling",
    "cloudwatch": "Throttling",
}
REFUSED_CODES = {"iam": "AccessDenied", "sqs": "AccessDenied", "sns": "AuthorizationError"}


@dataclass(frozen=True)
class CallSite:
    """The n-th call of one operation since the recording began; `number` counts from 1."""

    service: str
    operation: str
    number: int


@dataclass(frozen=True)
class Plan:
    """This step fails; `lasting`: and every later call of its operation, until it is repaired."""

    step: CallSite
    fault: Fault
    lasting: bool = False


def faults_of(step: CallSite) -> list[Fault]:
    """What can become of a call of this operation."""
    no = set()
    if _is_reading(step):
        # It leaves nothing behind: dying after it is dying before it.
        no |= {Fault.REPEATED, Fault.DIES_AFTER}
    if step.operation not in WRITES_OF_A_TABLE:
        no.add(Fault.CONFLICT)
    if step.operation not in IN_PART:
        no.add(Fault.PARTIAL)
    return [fault for fault in Fault if fault not in no]


def _is_reading(step: CallSite) -> bool:
    return step.operation.startswith(READING)


def plans_of(steps: Sequence[CallSite]) -> list[Plan]:
    """Each call fails once in each way; each operation, from its first call on, for a while."""
    once = [Plan(step, fault) for step in steps for fault in faults_of(step)]
    first = {(step.service, step.operation): step for step in reversed(steps)}
    lasting = [
        Plan(step, fault, lasting=True)
        for step in first.values()
        for fault in faults_of(step)
        if fault in LASTING and not (fault is Fault.LOST and _is_reading(step))
    ]
    return once + lasting


@dataclass
class Wire:
    """`steps` are the calls since `record`; `met` says how many of them failed as planned.

    `planned` outlives the repair.
    """

    steps: list[CallSite] = field(default_factory=list)
    plan: Plan | None = None
    planned: Plan | None = None
    met: int = 0
    _dead: bool = False
    _count: Counter[tuple[str, str]] = field(default_factory=Counter)

    def record(self, plan: Plan | None) -> None:
        """From now on calls are numbered, and fail by the plan."""
        self.plan, self.planned, self.met = plan, plan, 0
        self.steps.clear()
        self._count.clear()

    def begin(self) -> None:
        """A new invocation: whoever died makes way for a new process."""
        self._dead = False

    def repair(self) -> None:
        self.plan = None

    def send(
        self, wired: Wired, operation: str, arguments: Mapping[str, Any], act: Callable[[], Any]
    ) -> Any:
        if self._dead:
            # What stands in a `finally` runs in a test, and in no process that was killed.
            raise Died
        self._count[wired.service, operation] += 1
        step = CallSite(wired.service, operation, self._count[wired.service, operation])
        self.steps.append(step)
        fault = self._fault_at(step)
        if fault is None:
            return act()
        self.met += 1
        self._dead = fault in DEATHS
        if fault is Fault.PARTIAL:
            return _in_part(step, arguments)
        return _fail(fault, wired.client, step, act)

    def _fault_at(self, step: CallSite) -> Fault | None:
        if self.plan is None:
            return None
        planned = self.plan.step
        same = (planned.service, planned.operation) == (step.service, step.operation)
        due = step.number >= planned.number if self.plan.lasting else step.number == planned.number
        return self.plan.fault if same and due else None


def _fail(fault: Fault, client: Any, step: CallSite, act: Callable[[], Any]) -> Any:
    """What the caller sees, after AWS did what it did."""
    match fault:
        case Fault.THROTTLED:
            raise _error(step, THROTTLED_CODES.get(step.service, "ThrottlingException"))
        case Fault.REFUSED:
            raise _error(step, REFUSED_CODES.get(step.service, "AccessDeniedException"))
        case Fault.CONFLICT:
            raise _conflict(client, step)
        case Fault.DIES_BEFORE:
            raise Died
    answer = act()
    match fault:
        case Fault.LOST:
            raise ReadTimeoutError(endpoint_url=f"https://{step.service}.example.com")
        case Fault.REPEATED:
            return act()
        case Fault.EMPTY:
            return {}
        case Fault.GARBLED:
            raise ResponseParserError("Unable to parse response")
        case Fault.DIES_AFTER:
            raise Died
    return answer


def _error(step: CallSite, code: str) -> ClientError:
    name = step.operation.title().replace("_", "")
    return ClientError({"Error": {"Code": code, "Message": "on purpose"}}, name)


def _conflict(client: Any, step: CallSite) -> ClientError:
    """Another transaction holds the item: DynamoDB says so of one, or of one among many."""
    if step.operation != "transact_write_items":
        kind = getattr(client.exceptions, "TransactionConflictException", ClientError)
        code = "TransactionConflictException"
        raised: ClientError = kind({"Error": {"Code": code, "Message": "held"}}, step.operation)
        return raised
    reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]
    answer = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    cancelled: ClientError = client.exceptions.TransactionCanceledException(answer, step.operation)
    return cancelled


def _in_part(step: CallSite, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """BatchGetItem hands keys back, PutEvents says which entry failed: nothing else does that."""
    if step.operation == "batch_get_item":
        return {"Responses": {}, "UnprocessedKeys": arguments["RequestItems"]}
    entry = {"ErrorCode": "InternalFailure", "ErrorMessage": "on purpose"}
    return {"FailedEntryCount": 1, "Entries": [entry]}


@dataclass(frozen=True)
class Wired:
    """A client whose calls, and every page of whose paginators, pass the wire."""

    client: Any
    service: str
    wire: Wire

    def __getattr__(self, name: str) -> Any:
        if name in ("exceptions", "meta"):
            return getattr(self.client, name)
        if name == "get_paginator":
            return partial(_Pages, self)
        return partial(self._call, name)

    def _call(self, operation: str, **arguments: Any) -> Any:
        act = partial(getattr(self.client, operation), **arguments)
        return self.wire.send(self, operation, arguments, act)


@dataclass(frozen=True)
class _Pages:
    of: Wired
    operation: str

    def paginate(self, **arguments: Any) -> Iterator[Any]:
        pages = iter(self.of.client.get_paginator(self.operation).paginate(**arguments))
        # Fetched ahead, so that the end of the pages is no call of its own.
        for page in pages:
            yield self.of.wire.send(self.of, self.operation, arguments, partial(_given, page))


def _given(page: Any) -> Any:
    return page
