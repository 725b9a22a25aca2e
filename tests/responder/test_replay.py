"""What would have been done: which records are judged, how, and how they are counted."""

from __future__ import annotations

from typing import Any

import pytest

from handler.model.reasons import Action
from responder.replay import (
    Judged,
    Line,
    Passed,
    Rules,
    Tally,
    as_json,
    judge,
    most_called,
    name_caller,
    read_rules,
)
from tests.handler.judge.tables import bases

BASES = bases()
MALLORY = "arn:aws:iam::111122223333:user/staff/mallory"
DEPLOY = "arn:aws:iam::111122223333:role/teams/deploy"


def rules(*, admins: tuple[str, ...] = (), admin_roles: tuple[str, ...] = ()) -> Rules:
    return read_rules(admins=admins, admin_roles=admin_roles)


def verdict(record: dict[str, Any], rules: Rules) -> tuple[str, str]:
    judged = judge(record, rules)
    assert isinstance(judged, Judged)
    return judged.verdict.action.value, judged.verdict.reason.value


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("user", ("contain", "not-an-administrator")),
        ("role", ("contain", "not-an-administrator")),
        ("revoker", ("ignore", "ourselves")),
        ("stacksets-exec", ("ignore", "administrator-role")),
        ("root", ("critical", "root")),
        ("identity-center-role", ("critical", "cannot-be-denied")),
        ("aws-service", ("ignore", "aws-service")),
    ],
)
def test_a_record_is_judged_as_in_enforce_mode(base: str, expected: tuple[str, str]) -> None:
    assert verdict(BASES[base], rules()) == expected


def test_the_revoker_is_known_in_every_account_and_partition() -> None:
    record = BASES["revoker"] | {"recipientAccountId": "444455556666"}
    issuer = "arn:aws-cn:iam::444455556666:role/iam-org-revoker/iam-org-revoker"
    record["userIdentity"] = {
        "type": "AssumedRole",
        "accountId": "444455556666",
        "sessionContext": {"sessionIssuer": {"arn": issuer}},
    }
    assert verdict(record, rules()) == ("ignore", "ourselves")


def test_a_record_in_an_envelope_is_judged_as_its_detail() -> None:
    record = {key: value for key, value in BASES["user"].items() if key != "recipientAccountId"}
    envelope = {
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.iam",
        "account": "444455556666",
        "detail": record,
    }
    judged = judge(envelope, rules())
    assert isinstance(judged, Judged)
    assert judged.call.account == "444455556666"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"eventSource": "sts.amazonaws.com"}, Passed.OTHER_SERVICE),
        ({"eventSource": "iam.amazonaws.com.evil.example"}, Passed.OTHER_SERVICE),
        ({"eventSource": None}, Passed.OTHER_SERVICE),
        ({"readOnly": True}, Passed.READ_ONLY),
        ({"readOnly": "true"}, Passed.READ_ONLY),
        ({"readOnly": None, "eventName": "ListUsers"}, Passed.READ_ONLY),
        ({"eventSource": "sts.amazonaws.com", "readOnly": True}, Passed.OTHER_SERVICE),
    ],
)
def test_what_the_rule_does_not_deliver_is_counted_and_not_judged(
    change: dict[str, Any], expected: Passed
) -> None:
    assert judge(BASES["user"] | change, rules()) is expected


def test_an_unreadable_iam_record_is_reported() -> None:
    assert verdict({"eventSource": "iam.amazonaws.com"}, rules()) == ("report", "unreadable")


@pytest.mark.parametrize(
    ("admin", "is_one"),
    [
        ("mallory", True),
        ("Mallory", True),
        (MALLORY, True),
        ("mallory-evil", False),
        ("staff/mallory", False),
        ("arn:aws:iam::444455556666:user/staff/mallory", False),
        ("", False),
    ],
)
def test_an_administrator_is_given_by_name_or_arn(admin: str, is_one: bool) -> None:
    expected = ("ignore", "administrator-user") if is_one else ("contain", "not-an-administrator")
    assert verdict(BASES["user"], rules(admins=("alice", admin))) == expected


def test_a_role_is_no_administrator_by_a_user_s_name() -> None:
    given = rules(admins=("deploy", DEPLOY))
    assert verdict(BASES["role"], given) == ("contain", "not-an-administrator")


def test_administrator_roles_are_added_to_the_defaults() -> None:
    given = rules(admin_roles=("role/teams/*", "role/other until 2026-12-31"))
    assert verdict(BASES["role"], given) == ("ignore", "administrator-role")
    assert verdict(BASES["stacksets-exec"], given) == ("ignore", "administrator-role")


def test_a_bad_pattern_is_named() -> None:
    with pytest.raises(ValueError, match=r"^'deploy' is no administrator role pattern"):
        rules(admin_roles=("role/teams/*", "deploy"))


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("user", MALLORY),
        ("role", DEPLOY),
        ("federated-user", MALLORY),
        ("aws-service", "AWSService autoscaling.amazonaws.com"),
        ("service-event", "no type AWS Internal"),
        ("identity-center-user", "IdentityCenterUser 00000000-0000-4000-8000-000000000003"),
        ("unknown", "Unknown mallory"),
        ("aws-account", "AWSAccount AROAEXAMPLEVISITOR000"),
    ],
)
def test_a_caller_is_named_by_what_its_record_has(base: str, expected: str) -> None:
    judged = judge(BASES[base], rules())
    assert isinstance(judged, Judged)
    assert name_caller(judged.call) == expected


def test_one_line_of_json_names_event_caller_action_and_reason() -> None:
    judged = judge(BASES["user"], rules())
    assert isinstance(judged, Judged)
    assert as_json(judged) == {
        "eventID": "00000000-0000-4000-8000-000000000002",
        "eventTime": "2026-03-02T10:15:30Z",
        "account": "111122223333",
        "caller": MALLORY,
        "call": "AttachUserPolicy",
        "action": "contain",
        "reason": "not-an-administrator",
    }


def tallied() -> Tally:
    tally = Tally()
    records = [
        *[BASES["stacksets-exec"]] * 9,
        *[BASES["role"]] * 2,
        BASES["role"] | {"eventName": "CreateUser"},
        BASES["role"] | {"errorCode": "AccessDenied"},
        *[BASES["user"]] * 2,
        BASES["root"],
        BASES["user"] | {"eventSource": "sts.amazonaws.com"},
        *[BASES["user"] | {"readOnly": True}] * 3,
    ]
    for record in records:
        tally.add(judge(record, rules()))
    return tally


def test_calls_are_counted_by_caller_and_reason_the_most_serious_first() -> None:
    calls = {"AttachUserPolicy": 2, "CreateUser": 1}
    assert tallied().lines() == [
        Line(Action.CONTAIN, "not-an-administrator", DEPLOY, calls),
        Line(Action.CONTAIN, "not-an-administrator", MALLORY, {"AttachUserPolicy": 2}),
        Line(Action.CONTAIN, "failed-call", DEPLOY, {"AttachUserPolicy": 1}),
        Line(Action.CRITICAL, "root", "arn:aws:iam::111122223333:root", {"AttachUserPolicy": 1}),
        Line(
            Action.IGNORE,
            "administrator-role",
            "arn:aws:iam::111122223333:role/stacksets-exec-00000000000000000000000000000000",
            {"CreateRole": 9},
        ),
    ]


def test_the_summary_counts_every_record_once() -> None:
    assert tallied().summary() == {
        "records": 20,
        "otherServices": 1,
        "readOnly": 3,
        "judged": 16,
        "actions": {"contain": 6, "critical": 1, "would-contain": 0, "report": 0, "ignore": 9},
        "callersContained": 2,
    }


def test_a_line_says_what_was_called_most() -> None:
    calls = {"A": 1, "B": 5, "C": 2, "D": 1, "E": 1, "": 9}
    line = Line(Action.CONTAIN, "not-an-administrator", MALLORY, calls)
    assert list(most_called(line)) == ["(no name) 9", "B 5", "C 2", "3 other kinds"]
