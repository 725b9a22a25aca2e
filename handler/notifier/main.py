"""The Lambda of the central account: count what the queue brings, mail what is due. Judges nobody.

Two things wake it. A batch of the queue: each message is acknowledged once it is counted and its
mail is out, or due in the table where the sweep finds it; what failed before that comes again. And
the schedule: the sweep (sweep.py), then the pulse of the alerting itself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from handler.model.heartbeat import Heartbeat
from handler.notifier.mail.templates import MAIL_WORDS
from handler.notifier.mail.turns import take_turns
from handler.notifier.messages.inbox import Letter, read_letter
from handler.notifier.messages.notice import Notice, incident_key
from handler.notifier.send.metrics import Pulse, publish_pulse
from handler.notifier.send.publish import Central, log_failure, report_incident
from handler.notifier.send.sweep import SweepFailed, sweep_all
from handler.notifier.store.accounts import note_heartbeat, note_liveness
from handler.notifier.store.incidents import Turn, count_calls, owe_mail
from handler.notifier.store.rate_limit import Limits
from handler.notifier.store.table import IncidentStore

SWEEP_EVENT = {"wake": "sweep"}
# Half the function's timeout: counting comes before, a digest after.
SINGLES_SECONDS = 15


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Entry point: an SQS batch, answered by ReportBatchItemFailures, or SWEEP_EVENT."""
    store = IncidentStore(
        client=_central_client("dynamodb"),
        table=os.environ["TABLE_NAME"],
        quiet_seconds=int(os.environ["QUIET_SECONDS"]),
        owner=context.aws_request_id,
        clock=time.time,
        sleep=time.sleep,
    )
    limits = Limits(per_minute=int(os.environ["MAILS_PER_MINUTE"]))
    topic = os.environ["TOPIC_ARN"]
    until = time.time() + SINGLES_SECONDS
    central = Central(store, _central_client("sns"), topic, MAIL_WORDS, limits, until)
    if "Records" in event:
        return answer_batch(event, central)
    if event != SWEEP_EVENT:
        raise ValueError(f"neither a batch of messages nor {SWEEP_EVENT}")
    swept = sweep_all(central)
    topics = list(filter(None, os.environ["WATCHED_TOPICS"].split(",")))
    pulse = Pulse(_central_client("sns"), _central_client("cloudwatch"), topics)
    publish_pulse(pulse, longest_wait=swept.longest_wait)
    if swept.failed:
        raise SweepFailed(", ".join(swept.failed))
    return {}


def answer_batch(event: Mapping[str, Any], central: Central) -> dict[str, Any]:
    """Count the batch by incident, then mail in turn; names the messages that must come again."""
    from botocore.exceptions import BotoCoreError, ClientError

    letters = [read_letter(one["body"], message_id=one["messageId"]) for one in event["Records"]]
    failed = _note_heartbeats(letters, central, sent_at=_last_sent(event["Records"]))
    counted: list[Notice] = []
    senders: dict[str, set[str]] = {}
    for key, notices in _by_incident(letters, senders).items():
        try:
            count_calls(central.store, notices)
        except (BotoCoreError, ClientError) as error:
            log_failure(f"counting {key}", error)
            failed |= senders[key]
        else:
            counted.append(notices[0])
    for notice in take_turns(counted, account=_account_of, critical=lambda one: one.critical):
        key = incident_key(notice)
        try:
            turn = _report(central, key, notice)
        except (BotoCoreError, ClientError) as error:
            log_failure(f"telling {key}", error)
            failed |= senders[key]
        else:
            # The table's item was deleted while these messages were counted in it.
            failed |= senders[key] if turn is Turn.MISSING else set()
    return {"batchItemFailures": [{"itemIdentifier": one} for one in sorted(failed)]}


def _report(central: Central, key: str, notice: Notice) -> Turn:
    if notice.is_daily:
        return owe_mail(central.store, key, daily=True)
    return report_incident(central, key, account=notice.account)


def _account_of(notice: Notice) -> str:
    return notice.account


def _by_incident(
    letters: Iterable[Letter], senders: dict[str, set[str]]
) -> dict[str, list[Notice]]:
    """Notices by incident; `senders` learns which messages each incident's came in."""
    groups: dict[str, list[Notice]] = {}
    for letter in letters:
        for notice in letter.notices:
            key = incident_key(notice)
            groups.setdefault(key, []).append(notice)
            senders.setdefault(key, set()).add(letter.message_id)
    return groups


def _note_heartbeats(letters: Iterable[Letter], central: Central, *, sent_at: float) -> set[str]:
    """Record the accounts that reported, by latest heartbeat; return the failed messages."""
    from botocore.exceptions import BotoCoreError, ClientError

    latest: dict[str, Heartbeat] = {}
    senders: dict[str, set[str]] = {}
    for letter in letters:
        if beat := letter.heartbeat:
            known = latest.setdefault(beat.account, beat)
            latest[beat.account] = max(known, beat, key=lambda one: one.at)
            senders.setdefault(beat.account, set()).add(letter.message_id)
    failed: set[str] = set()
    for account, beat in latest.items():
        try:
            note_heartbeat(central.store, beat)
        except (BotoCoreError, ClientError) as error:
            log_failure(f"heartbeat of {account}", error)
            failed |= senders[account]
    if latest:
        try:
            note_liveness(central.store, sent_at=sent_at)
        except (BotoCoreError, ClientError) as error:
            log_failure("liveness", error)
            failed |= set().union(*senders.values())
    return failed


def _last_sent(records: Iterable[Mapping[str, Any]]) -> float:
    """When the queue got the latest of the messages, epoch seconds; 0 where none says it."""
    sent = (float(one.get("attributes", {}).get("SentTimestamp", "0")) for one in records)
    return max(sent, default=0.0) / 1000


@cache
def _central_client(service: str) -> Any:
    # botocore alone: importing boto3 costs the cold start and gives nothing here. The longest call
    # must end well within the function's timeout.
    from botocore.config import Config
    from botocore.session import get_session

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=2, read_timeout=5
    )
    return get_session().create_client(service, config=config)
