"""Send mails: claim an incident, ask the rate limit, publish, mark. A shell; decides no words.

If a step fails or the process dies, the incident stays due in the table for the sweep.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handler.notifier.mail.incident_mail import mail_body, mail_subject
from handler.notifier.mail.message import Mail, make_mail, sns_message
from handler.notifier.messages.notice import Incident
from handler.notifier.store.incidents import Turn, claim_mail, give_back, mark_mailed, owe_mail
from handler.notifier.store.rate_limit import Grant, Limits, take_digest, take_single
from handler.notifier.store.table import IncidentStore

# An attribute counts toward the message's 256 KB.
ACCOUNTS_LIMIT = 1_000


@dataclass(frozen=True)
class Centre:
    """What the notifier works with; `sns` is an SNS client, `words` the texts of the mails.

    `spent` are the accounts, or "" for all, that this run sends no more single mails for: the rate
    limit refused them, or the topic. From `singles_until` (epoch seconds) on it sends none either:
    waiting for a second with room must not outlast the function's timeout.
    """

    store: IncidentStore
    sns: Any
    topic: str
    words: Mapping[str, str]
    limits: Limits
    singles_until: float
    spent: set[str] = field(default_factory=set)


def tell_incident(centre: Centre, key: str, *, account: str) -> Turn:
    """Send every mail that is due on the incident, in order; what is refused stays due.

    Raises what the table raises; what the topic raises leaves the mail to the sweep.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    while True:
        if sends_no_more(centre, account):
            return owe_mail(centre.store, key)
        claimed = claim_mail(centre.store, key)
        if isinstance(claimed, Turn):
            return claimed
        if not _is_granted(centre, claimed):
            give_back(centre.store, claimed)
            return Turn.HELD
        try:
            publish_mail(centre, _single_mail(centre, claimed))
        except (BotoCoreError, ClientError) as error:
            log_failure(f"mail on {key}", error)
            # The mail or the topic is at fault: either way this run tries no other.
            centre.spent.add("")
            give_back(centre.store, claimed)
            return Turn.HELD
        turn = mark_mailed(centre.store, claimed)
        if turn is not Turn.MORE_DUE:
            return turn


def sends_no_more(centre: Centre, account: str) -> bool:
    """Whether this run is done with single mails about that account."""
    return bool(centre.spent & {"", account}) or centre.store.now >= centre.singles_until


def publish_mail(centre: Centre, mail: Mail) -> None:
    """Publish in every form, with the attributes that subscribers filter by."""
    attributes = {
        "kind": {"DataType": "String", "StringValue": mail.kind},
        "critical": {"DataType": "String", "StringValue": "true" if mail.critical else "false"},
    }
    if mail.accounts:
        listed = json.dumps(mail.accounts[:ACCOUNTS_LIMIT])
        attributes["account"] = {"DataType": "String.Array", "StringValue": listed}
    centre.sns.publish(
        TopicArn=centre.topic,
        Subject=mail.subject,
        Message=sns_message(mail),
        MessageStructure="json",
        MessageAttributes=attributes,
    )


def may_send_digest(centre: Centre) -> bool:
    return take_digest(centre.store, centre.limits) is Grant.GIVEN


def log_failure(what: str, error: Exception) -> None:
    print(json.dumps({"failed": what, "comesAgain": True, "error": str(error)}))


def _is_granted(centre: Centre, incident: Incident) -> bool:
    account = incident.account
    grant = take_single(centre.store, centre.limits, account=account, critical=incident.critical)
    match grant:
        case Grant.MINUTE_SPENT:
            centre.spent.add("")
        case Grant.ACCOUNT_SPENT if incident.critical:
            centre.spent.add(account)
    return grant is Grant.GIVEN


def _single_mail(centre: Centre, incident: Incident) -> Mail:
    return make_mail(
        subject=mail_subject(incident),
        body=mail_body(centre.words, incident),
        kind=incident.kind.value,
        incidents=[incident],
        whole=True,
    )
