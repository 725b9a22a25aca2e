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
class Central:
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


def report_incident(central: Central, key: str, *, account: str) -> Turn:
    """Send every mail that is due on the incident, in order; what is refused stays due.

    Raises what the table raises; what the topic raises leaves the mail to the sweep.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    while True:
        if sends_no_more(central, account):
            return owe_mail(central.store, key)
        claimed = claim_mail(central.store, key)
        if isinstance(claimed, Turn):
            return claimed
        if not _is_granted(central, claimed):
            give_back(central.store, claimed)
            return Turn.HELD
        try:
            publish_mail(central, _single_mail(central, claimed))
        except (BotoCoreError, ClientError) as error:
            log_failure(f"mail on {key}", error)
            # The mail or the topic is at fault: either way this run tries no other.
            central.spent.add("")
            give_back(central.store, claimed)
            return Turn.HELD
        turn = mark_mailed(central.store, claimed)
        if turn is not Turn.MORE_DUE:
            return turn


def sends_no_more(central: Central, account: str) -> bool:
    """Whether this run is done with single mails about that account."""
    return bool(central.spent & {"", account}) or central.store.now >= central.singles_until


def publish_mail(central: Central, mail: Mail) -> None:
    """Publish in every form, with the attributes that subscribers filter by."""
    attributes = {
        "kind": {"DataType": "String", "StringValue": mail.kind},
        "critical": {"DataType": "String", "StringValue": "true" if mail.critical else "false"},
    }
    if mail.accounts:
        listed = json.dumps(mail.accounts[:ACCOUNTS_LIMIT])
        attributes["account"] = {"DataType": "String.Array", "StringValue": listed}
    central.sns.publish(
        TopicArn=central.topic,
        Subject=mail.subject,
        Message=sns_message(mail),
        MessageStructure="json",
        MessageAttributes=attributes,
    )


def may_send_digest(central: Central) -> bool:
    return take_digest(central.store, central.limits) is Grant.GIVEN


def log_failure(what: str, error: Exception) -> None:
    print(json.dumps({"failed": what, "comesAgain": True, "error": str(error)}))


def _is_granted(central: Central, incident: Incident) -> bool:
    account = incident.account
    grant = take_single(central.store, central.limits, account=account, critical=incident.critical)
    match grant:
        case Grant.MINUTE_SPENT:
            central.spent.add("")
        case Grant.ACCOUNT_SPENT if incident.critical:
            central.spent.add(account)
    return grant is Grant.GIVEN


def _single_mail(central: Central, incident: Incident) -> Mail:
    return make_mail(
        subject=mail_subject(incident),
        body=mail_body(central.words, incident),
        kind=incident.kind.value,
        incidents=[incident],
        whole=True,
    )
