"""The Lambda of the central account: count what the queue brings, mail what is due. Judges nobody.

A message is acknowledged only when no mail hangs on it any more. A crash between any two steps
leaves it in the queue; it comes again, is known as counted, and goes on where the lease allows.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from handler.incidents import (
    IncidentStore,
    Turn,
    claim_mail,
    count_call,
    give_back,
    incident_key,
    mark_mailed,
)
from handler.mail import mail_body, mail_subject
from handler.notice import Incident, read_notice
from handler.words import MAIL_WORDS


@dataclass(frozen=True)
class Centre:
    """What the notifier works with; `sns` is an SNS client, `words` the texts of the mails."""

    store: IncidentStore
    sns: Any
    topic: str
    words: Mapping[str, str]


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Entry point for an SQS batch; answers in the form of ReportBatchItemFailures."""
    store = IncidentStore(
        client=_centre_client("dynamodb"),
        table=os.environ["TABLE_NAME"],
        quiet_seconds=int(os.environ["QUIET_SECONDS"]),
        owner=context.aws_request_id,
        now=time.time(),
        sleep=time.sleep,
    )
    topic = os.environ["TOPIC_ARN"]
    return answer_batch(event, Centre(store, _centre_client("sns"), topic, MAIL_WORDS))


def answer_batch(event: Mapping[str, Any], centre: Centre) -> dict[str, Any]:
    """Count each message, then mail once per incident; names the messages that must come again."""
    from botocore.exceptions import BotoCoreError, ClientError

    failed: list[str] = []
    counted: dict[str, list[tuple[str, bool]]] = {}
    for message in event["Records"]:
        notice = read_notice(message["body"], message_id=message["messageId"])
        key = incident_key(notice)
        try:
            new = count_call(centre.store, notice)
        except (BotoCoreError, ClientError) as error:
            _log_failure(key, error)
            failed.append(message["messageId"])
        else:
            counted.setdefault(key, []).append((message["messageId"], new))
    for key, messages in counted.items():
        try:
            turn = _tell_incident(centre, key)
        except (BotoCoreError, ClientError) as error:
            _log_failure(key, error)
            failed += [message_id for message_id, _ in messages]
        else:
            # Another holds the lease. Its own message stays in the queue until its mail is marked,
            # so a newly counted one may go; a duplicate may be that very message and must not.
            failed += [message_id for message_id, new in messages if turn is Turn.HELD and not new]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _tell_incident(centre: Centre, key: str) -> Turn:
    """Send every mail that is due on the incident, in order: claim, publish, mark."""
    from botocore.exceptions import BotoCoreError, ClientError

    while True:
        claimed = claim_mail(centre.store, key)
        if isinstance(claimed, Turn):
            return claimed
        try:
            _publish_mail(centre, claimed)
        except (BotoCoreError, ClientError):
            give_back(centre.store, claimed)
            raise
        mark_mailed(centre.store, claimed)


def _publish_mail(centre: Centre, incident: Incident) -> None:
    notice = incident.first
    centre.sns.publish(
        TopicArn=centre.topic,
        Subject=mail_subject(incident),
        Message=mail_body(centre.words, incident),
        MessageAttributes={
            "account": {"DataType": "String", "StringValue": notice.account},
            "kind": {"DataType": "String", "StringValue": notice.kind.value},
        },
    )


def _log_failure(key: str, error: Exception) -> None:
    print(json.dumps({"incident": key, "comesAgain": True, "error": str(error)}))


@cache
def _centre_client(service: str) -> Any:
    # botocore alone: importing boto3 costs the cold start and gives nothing here. The longest call
    # must end well within the function's timeout.
    from botocore.config import Config
    from botocore.session import get_session

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=2, read_timeout=5
    )
    return get_session().create_client(service, config=config)
