"""The schedule of the sweep, its subscriptions and its alarms, in the central template."""

from __future__ import annotations

import json
from typing import Any

from generator.central.sweep_schedule import WAKE
from generator.render import Rendered
from handler.notifier.main import SWEEP_EVENT
from tests.generator.filling import central as fill_central

TOPIC = "arn:aws:sns:us-east-1:111122223333:security"


def properties(rendered: Rendered, name: str, **parameters: str) -> Any:
    return fill_central(rendered.tree, **parameters).resources()[name]["Properties"]


def test_every_minute_the_notifier_is_woken_for_its_sweep(central: Rendered) -> None:
    rule = properties(central, "SweepRule")
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    (target,) = rule["Targets"]
    assert json.loads(target["Input"]) == WAKE == SWEEP_EVENT
    leave = properties(central, "SweepMayWake")
    assert leave["Principal"] == "events.amazonaws.com"
    assert "SweepRule" in leave["SourceArn"]


def test_the_table_has_two_sparse_indexes_over_its_own_key(central: Rendered) -> None:
    table = properties(central, "Incidents")
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert table["GlobalSecondaryIndexes"] == [
        {
            "IndexName": "due",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "due_at", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        },
        {
            "IndexName": "listed",
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "listed_at", "KeyType": "RANGE"},
            ],
            "Projection": {
                "ProjectionType": "INCLUDE",
                "NonKeyAttributes": ["beat", "last_heartbeat", "not_reporting_since"],
            },
        },
    ]


def test_a_second_recipient_hears_of_its_accounts_only(central: Rendered) -> None:
    extra = {"ExtraEmail": "unit@example.com", "ExtraAccounts": "111122223333,444455556666"}
    mail = properties(central, "ExtraMail", **extra)
    assert mail["FilterPolicy"] == {"account": ["111122223333", "444455556666"]}
    assert "ExtraMail" not in fill_central(central.tree).resources()
    given = fill_central(central.tree, SNSTopicArn=TOPIC, **extra).resources()
    assert "ExtraMail" not in given


def test_only_topics_of_this_stack_are_looked_into(central: Rendered) -> None:
    watched = properties(central, "Notifier", SNSTopicArn=TOPIC)["Environment"]["Variables"]
    assert watched["WATCHED_TOPICS"] == "arn:aws:sns:us-east-1:111122223333:HealthTopic"


def test_a_sweep_that_does_not_run_is_an_alarm_on_the_topic_of_health(central: Rendered) -> None:
    alarm = properties(central, "MailsDue")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("IamOrgRevoker", "OldestDueMailSeconds")
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["AlarmActions"] == ["arn:aws:sns:us-east-1:111122223333:HealthTopic"]
    unconfirmed = properties(central, "Unconfirmed")
    assert unconfirmed["MetricName"] == "UnconfirmedSubscriptions"
    assert "Dimensions" not in unconfirmed
