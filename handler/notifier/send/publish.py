"""Send mails: claim an incident, ask the budget, publish, mark. A shell; decides no words.

Whatever fails or dies on the way, the incident stays due in the table and the sweep has it.
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

# An attribute takes part in the message's 256 KB; who subscribes by account has one or a few.
ACCOUNTS_LIMIT = 1_000


@dataclass(frozen=True)
class Central:
    """What the notifier works with; `sns` is an SNS client, `words` the texts of the mails.

    `spent` are the accounts, or "" for all, that this run sends no single mails for any more: the
    budget refused them, or the topic. From `singles_until` (epoch seconds) on it sends none either:
    waiting for seconds with room must not outlast the function's timeout.
    """

    store: IncidentStore
    sns: Any
    topic: str
    words: Mapping[str, str]
    limits: Limits
    singles_until: float
    spent: set[str] = field(default_factory=set)


def report_incident(central: Central, key: str, *, account: str) -> Turn:
    """Send every mail that is due on the incident, in order, or leave what is refused owed.

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
            # It may be the mail or the topic; either way no other waits for more tries now.
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
    """To the topic, in every form, with what subscribers may filter by."""
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
