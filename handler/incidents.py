"""The incident store: counts each event once, lets one at a time send the mail due. Sends nothing.

One table, partition key `pk`, two kinds of item: `event#ACCOUNT#KIND#EVENT` marks an event as
counted; `incident#ACCOUNT#KIND#PRINCIPAL` holds the counter (`calls`), the milestone whose mail is
not yet sent (`next_mail`: 1, 10, 100, ...), the lease on that mail, and the first and latest facts.
The kind is in the key, so that what gets worse is told anew.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from handler.notice import Incident, Notice, pack_notice, unpack_notice, visible

# Above 24 h of EventBridge retries, 6 h in Lambda's queue and 14 days in an SQS queue.
MARKER_SECONDS = 15 * 86_400
# How long an incident can be looked up after it closed.
KEEP_SECONDS = 90 * 86_400
# Above the notifier's timeout, so that no two that live hold one lease; below the visibility
# timeout of the queue, so that a message which comes again after a crash finds the lease expired.
LEASE_SECONDS = 90
TRIES = 7

# DynamoDB refuses a request while another transaction holds the item: it means "again".
_AGAIN = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_FAILED = "ConditionalCheckFailed"


class Turn(Enum):
    """Why nobody sends a mail now."""

    NOTHING_DUE = "nothing-due"
    HELD = "held"


@dataclass(frozen=True)
class IncidentStore:
    """`client` is a DynamoDB client, `now` epoch seconds, `owner` unique to this invocation."""

    client: Any
    table: str
    quiet_seconds: int
    owner: str
    now: float
    sleep: Callable[[float], None]


def incident_key(notice: Notice) -> str:
    return _item_key("incident", notice, notice.principal)


def event_key(notice: Notice) -> str:
    return _item_key("event", notice, notice.event_id)


def count_call(store: IncidentStore, notice: Notice) -> bool:
    """Count the notice's event in its incident; False when it was counted before.

    Marker and counter are one transaction. Whether the incident is still open is a condition of
    that transaction and not a look-up before it, so no two callers can open it twice. Raises
    ClientError when DynamoDB still says "again" after TRIES, and for what no condition answers.
    """
    update = _go_on
    for attempt in range(1, TRIES + 1):
        try:
            store.client.transact_write_items(
                TransactItems=[_marker(store, notice), update(store, notice)]
            )
            return True
        except store.client.exceptions.TransactionCanceledException as error:
            reasons = error.response.get("CancellationReasons", [])
            marker, incident = [reason.get("Code") for reason in reasons] or [None, None]
            if marker == _FAILED:
                return False
            if attempt == TRIES or not {marker, incident} & {_FAILED, *_AGAIN}:
                raise
            if incident == _FAILED:
                update = _open_anew if update is _go_on else _go_on
            else:
                _pause(store, attempt)
    raise AssertionError("the last try returns or raises")


def claim_mail(store: IncidentStore, key: str) -> Incident | Turn:
    """The incident whose next mail is the caller's to send for LEASE_SECONDS, or why none is."""
    try:
        answer = _update(
            store,
            key,
            change="SET lease_until = :until, lease_owner = :me",
            condition=(
                "next_mail <= calls AND (attribute_not_exists(lease_until) OR lease_until < :now)"
            ),
            values={
                ":until": _number(store.now + LEASE_SECONDS),
                ":me": {"S": store.owner},
                ":now": _number(store.now),
            },
        )
    except store.client.exceptions.ConditionalCheckFailedException as error:
        item = error.response.get("Item")
        if item and int(item["next_mail"]["N"]) > int(item["calls"]["N"]):
            return Turn.NOTHING_DUE
        # An incident that is missing though its event was counted is not done either.
        return Turn.HELD
    return _read_incident(key, answer["Attributes"])


def mark_mailed(store: IncidentStore, incident: Incident) -> bool:
    """Write down that the milestone's mail is out, end the lease; False when the lease was lost."""
    try:
        _update(
            store,
            incident.key,
            change="SET next_mail = :next REMOVE lease_until, lease_owner",
            condition="lease_owner = :me AND next_mail = :sent",
            values={
                ":next": _number(incident.milestone * 10),
                ":sent": _number(incident.milestone),
                ":me": {"S": store.owner},
            },
        )
    except store.client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def give_back(store: IncidentStore, incident: Incident) -> None:
    """The undo of claim_mail: end the lease, if it is still ours, with the mail unsent."""
    try:
        _update(
            store,
            incident.key,
            change="REMOVE lease_until, lease_owner",
            condition="lease_owner = :me",
            values={":me": {"S": store.owner}},
        )
    except store.client.exceptions.ConditionalCheckFailedException:
        return


def _marker(store: IncidentStore, notice: Notice) -> dict[str, Any]:
    return {
        "Put": {
            "TableName": store.table,
            "Item": {
                "pk": {"S": event_key(notice)},
                "incident": {"S": incident_key(notice)},
                "expires_at": _number(store.now + MARKER_SECONDS),
            },
            # TTL deletes within days, not at once: an expired marker may still be there.
            "ConditionExpression": "attribute_not_exists(pk) OR expires_at < :now",
            "ExpressionAttributeValues": {":now": _number(store.now)},
        }
    }


def _go_on(store: IncidentStore, notice: Notice) -> dict[str, Any]:
    """One call more in an open incident; one that still owes a mail never closes."""
    return {
        "Update": {
            "TableName": store.table,
            "Key": {"pk": {"S": incident_key(notice)}},
            "UpdateExpression": (
                "ADD calls :one SET last_seen = :now, quiet_after = :quiet, "
                "last_facts = :facts, expires_at = :expiry"
            ),
            "ConditionExpression": "quiet_after >= :now OR next_mail <= calls",
            "ExpressionAttributeValues": {
                ":one": {"N": "1"},
                ":now": _number(store.now),
                ":quiet": _number(store.now + store.quiet_seconds),
                ":facts": {"S": pack_notice(notice)},
                ":expiry": _number(store.now + store.quiet_seconds + KEEP_SECONDS),
            },
        }
    }


def _open_anew(store: IncidentStore, notice: Notice) -> dict[str, Any]:
    """A new incident in place of none or of a closed one: exactly where _go_on is refused."""
    facts = {"S": pack_notice(notice)}
    return {
        "Put": {
            "TableName": store.table,
            "Item": {
                "pk": {"S": incident_key(notice)},
                "incident_id": {"S": _incident_id(notice)},
                "calls": {"N": "1"},
                "next_mail": {"N": "1"},
                "first_seen": _number(store.now),
                "last_seen": _number(store.now),
                "quiet_after": _number(store.now + store.quiet_seconds),
                "first_facts": facts,
                "last_facts": facts,
                "expires_at": _number(store.now + store.quiet_seconds + KEEP_SECONDS),
            },
            "ConditionExpression": (
                "attribute_not_exists(pk) OR (quiet_after < :now AND next_mail > calls)"
            ),
            "ExpressionAttributeValues": {":now": _number(store.now)},
        }
    }


def _update(
    store: IncidentStore, key: str, *, change: str, condition: str, values: dict[str, Any]
) -> Any:
    for attempt in range(1, TRIES + 1):
        try:
            return store.client.update_item(
                TableName=store.table,
                Key={"pk": {"S": key}},
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except store.client.exceptions.TransactionConflictException:
            if attempt == TRIES:
                raise
            _pause(store, attempt)
    raise AssertionError("the last try returns or raises")


def _pause(store: IncidentStore, attempt: int) -> None:
    # Spread by chance, or contenders meet again: up to 40 ms, 80 ms, ... 1.3 s.
    store.sleep(random.uniform(0.01, 0.02 * 2**attempt))


def _read_incident(key: str, item: dict[str, Any]) -> Incident:
    return Incident(
        key=key,
        incident_id=item["incident_id"]["S"],
        calls=int(item["calls"]["N"]),
        milestone=int(item["next_mail"]["N"]),
        first=unpack_notice(item["first_facts"]["S"]),
        latest=unpack_notice(item["last_facts"]["S"]),
    )


def _item_key(prefix: str, notice: Notice, name: str) -> str:
    return f"{prefix}#{notice.account}#{notice.kind.value}#{visible(name)}"


def _incident_id(notice: Notice) -> str:
    # From the event that opens it, so that a repeated try gives the same.
    keys = f"{incident_key(notice)} {event_key(notice)}"
    return hashlib.sha256(keys.encode()).hexdigest()[:12]


def _number(value: float) -> dict[str, str]:
    return {"N": str(int(value))}
