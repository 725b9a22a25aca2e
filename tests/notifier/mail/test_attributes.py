"""What subscribers may filter by: every mail names all of its accounts, a digest's too."""

from __future__ import annotations

import json
from typing import Any

from handler.notifier.mail.digest_mail import PART_LIMIT
from handler.notifier.mail.message import make_mail
from handler.notifier.send.publish import ACCOUNTS_LIMIT, Central, publish_mail
from handler.notifier.store.rate_limit import Limits


class Topic:
    """SNS, which keeps the attributes of the last message."""

    def publish(self, **arguments: Any) -> None:
        self.attributes = arguments["MessageAttributes"]


def published(*accounts: str) -> Any:
    topic = Topic()
    central = Central(
        store=Any, sns=topic, topic="", words={}, limits=Limits(per_minute=5), singles_until=0.0
    )
    missing = [{"account": account} for account in accounts]
    mail = make_mail(subject="x", body="x", kind="not-reporting", not_reporting=missing)
    publish_mail(central, mail)
    return topic.attributes


def test_the_largest_digest_names_each_of_its_accounts_in_an_array() -> None:
    accounts = [str(100000000000 + number) for number in range(PART_LIMIT)]
    sent = published(*accounts)["account"]
    assert sent["DataType"] == "String.Array"
    assert json.loads(sent["StringValue"]) == accounts
    assert PART_LIMIT <= ACCOUNTS_LIMIT
