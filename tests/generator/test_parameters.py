"""What the parameters of both templates let in, and what the conditions make of them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from generator.member.template import IAM_REGIONS, member_template
from generator.render import Rendered
from generator.source.lambda_code import Code
from handler.model.settings import KNOBS, read_settings
from tests.generator.filling import BUS
from tests.generator.filling import central as fill_central
from tests.generator.filling import member as fill_member

TOPIC = "arn:aws:sns:us-east-1:111122223333:security"


def test_the_function_gets_every_knob_by_its_parameter(member: Rendered) -> None:
    function = fill_member(member.tree).resources()["Revoker"]["Properties"]
    environment = function["Environment"]["Variables"]
    assert environment.keys() == {
        *(knob.variable for knob in KNOBS),
        "STATE_TABLE",
        "TEMPLATE_DIGEST",
    }
    assert environment["STATE_TABLE"] == "State"
    assert environment["MODE"] == "observe"
    assert environment["CENTRAL_BUS_ARN"] == BUS
    assert not read_settings(environment).inline_deny


def test_the_function_is_told_of_which_template_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    code = Code(index="one", product="member")
    digests = [_digest(member_template(code)), _digest(member_template(code))]
    digests.append(_digest(member_template(replace(code, index="two"))))
    monkeypatch.setattr("generator.member.template.IAM_REGIONS", IAM_REGIONS[:2])
    digests.append(_digest(member_template(code)))
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def _digest(tree: dict[str, Any]) -> str:
    variables = tree["Resources"]["Revoker"]["Properties"]["Environment"]["Variables"]
    return str(variables["TEMPLATE_DIGEST"])


def test_the_template_takes_what_the_revoker_takes(member: Rendered) -> None:
    for knob in KNOBS:
        body = member.tree["Parameters"][knob.parameter]
        if knob.allowed:
            assert body["AllowedValues"] == list(knob.allowed)
        else:
            assert body["AllowedPattern"] == knob.shape


@pytest.mark.parametrize(
    ("region", "held"),
    [
        *[(region, True) for region in IAM_REGIONS],
        ("us-east-2", False),
        ("eu-west-1", False),
        ("cn-northwest-1", False),
        ("us-gov-east-1", False),
    ],
)
def test_the_member_template_refuses_regions_where_iam_events_do_not_appear(
    member: Rendered, region: str, held: bool
) -> None:
    filling = fill_member(member.tree, **{"AWS::Region": region})
    assert filling.asserts("IamEventsAppearHere") is held


@pytest.mark.parametrize(
    ("mode", "missing", "held"),
    [
        ("observe", "undecided", True),
        ("observe", "treat-as-empty", True),
        ("enforce", "treat-as-empty", True),
        ("enforce", "undecided", False),
    ],
)
def test_enforcing_needs_a_decision_about_accounts_without_the_group(
    member: Rendered, mode: str, missing: str, held: bool
) -> None:
    filling = fill_member(member.tree, Mode=mode, MissingGroup=missing)
    assert filling.asserts("MissingGroupIsDecided") is held


def test_a_trail_is_made_only_for_a_bucket_and_then_completely(member: Rendered) -> None:
    trail = {"Trail", "TrailLog", "TrailRole"}
    assert not trail & fill_member(member.tree).resources().keys()
    made = fill_member(member.tree, TrailDestS3BucketName="amzn-s3-demo-bucket").resources()
    assert made["Trail"]["Properties"] == {
        "TrailName": "iam-org-revoker",
        "IsLogging": True,
        "S3BucketName": "amzn-s3-demo-bucket",
        "CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:111122223333:TrailLog",
        "CloudWatchLogsRoleArn": "arn:aws:iam::111122223333:role/TrailRole",
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": "false",
        "EnableLogFileValidation": True,
        "EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}],
    }
    assert made["TrailLog"]["Properties"]["RetentionInDays"] == "90"
    assert made["TrailRole"]["Properties"]["Path"] == "/iam-org-revoker/"


def test_the_central_template_demands_that_somebody_is_told(central: Rendered) -> None:
    def held(**given: str) -> bool:
        return fill_central(central.tree, **given).asserts("SomebodyIsNotified")

    assert held(Email="security@example.com")
    assert held(Email="", SNSTopicArn=TOPIC)
    assert not held(Email="", SNSTopicArn="")


def test_a_given_topic_takes_the_mails_and_hears_the_alarms_too(central: Rendered) -> None:
    filling = fill_central(central.tree, Email="", SNSTopicArn=TOPIC)
    made = filling.resources()
    assert not {"IncidentTopic", "IncidentTopicPolicy", "IncidentMail", "HealthMail"} & made.keys()
    assert made["Notifier"]["Properties"]["Environment"]["Variables"]["TOPIC_ARN"] == TOPIC
    for alarm in ("NotifierFails", "ReportsDead", "ReportsLate"):
        reported = ["arn:aws:sns:us-east-1:111122223333:HealthTopic", TOPIC]
        assert made[alarm]["Properties"]["AlarmActions"] == reported


def test_an_address_alone_gets_mails_and_alarms_from_topics_that_are_made(
    central: Rendered,
) -> None:
    made = fill_central(central.tree).resources()
    for name, topic in (("IncidentMail", "IncidentTopic"), ("HealthMail", "HealthTopic")):
        assert made[name]["Properties"] == {
            "TopicArn": f"arn:aws:sns:us-east-1:111122223333:{topic}",
            "Protocol": "email",
            "Endpoint": "security@example.com",
        }
        assert made[topic]["Properties"]["KmsMasterKeyId"] == "TopicKey"


@pytest.mark.parametrize(("hours", "seconds"), [("1", "3600"), ("24", "86400"), ("168", "604800")])
def test_the_notifier_is_told_the_quiet_hours_in_seconds(
    central: Rendered, hours: str, seconds: str
) -> None:
    made = fill_central(central.tree, QuietHours=hours).resources()
    environment = made["Notifier"]["Properties"]["Environment"]["Variables"]
    assert environment == {
        "TABLE_NAME": "Incidents",
        "TOPIC_ARN": "arn:aws:sns:us-east-1:111122223333:IncidentTopic",
        "QUIET_SECONDS": seconds,
        "MAILS_PER_MINUTE": "30",
        "WATCHED_TOPICS": ",".join(
            f"arn:aws:sns:us-east-1:111122223333:{name}"
            for name in ("IncidentTopic", "HealthTopic")
        ),
    }


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        (
            "OrganizationId",
            ["", "o-exampleorgid"],
            ["*", "o-short", "r-exampleorgid", "O-EXAMPLEORG"],
        ),
        ("Email", ["", "a@example.com"], ["example.com", "a@b", "a@example.com b@example.com"]),
        (
            "ResponderPrincipals",
            ["arn:*:iam::*:*", "arn:aws:iam::111122223333:role/security/*"],
            ["*", "role/security", "arn:aws:iam::111122223333:role/a b"],
        ),
        ("SNSTopicArn", ["", TOPIC], ["security", f"{TOPIC}.fifo", f"{TOPIC}:subscription"]),
    ],
)
def test_central_parameters_take_these_and_not_those(
    central: Rendered, parameter: str, good: list[str], bad: list[str]
) -> None:
    pattern = central.tree["Parameters"][parameter]["AllowedPattern"]
    assert [value for value in good if not re.fullmatch(pattern, value)] == []
    assert [value for value in bad if re.fullmatch(pattern, value)] == []


def test_the_queue_waits_six_times_as_long_as_the_notifier_may_run(central: Rendered) -> None:
    made = fill_central(central.tree).resources()
    timeout = made["Notifier"]["Properties"]["Timeout"]
    assert made["Reports"]["Properties"]["VisibilityTimeout"] == 6 * timeout == 180
