"""An envelope becomes a notice: report, tamper event, refusal; nothing is dropped or raises."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.model.report import Disposition, ReportedImpact, to_detail
from handler.notifier.messages.inbox import LIST_LIMIT, read_letter
from handler.notifier.messages.notice import FACT_LIMIT, NoticeKind, pack_notice, unpack_notice
from tests.notifier.central import (
    ACCOUNT,
    detached,
    given_envelope,
    given_report,
    read_notice,
    report_body,
)

RECORD: dict[str, Any] = {
    "eventVersion": "1.11",
    "userIdentity": {
        "type": "AssumedRole",
        "principalId": "AROAEXAMPLEROLE:eve",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/eve",
        "accountId": ACCOUNT,
        "accessKeyId": "ASIAEXAMPLEKEY",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLEROLE",
                "arn": f"arn:aws:iam::{ACCOUNT}:role/ops/deployer",
                "accountId": ACCOUNT,
                "userName": "deployer",
            },
        },
    },
    "eventTime": "2026-09-21T13:46:40Z",
    "eventSource": "lambda.amazonaws.com",
    "eventName": "UpdateFunctionCode20150331v2",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "192.0.2.1",
    "userAgent": "aws-cli/2.15.0",
    "requestParameters": {"functionName": "iam-org-revoker"},
    "eventID": "c0ffee00-0000-4000-8000-000000000001",
}


def tamper_body(record: object = RECORD, **changes: Any) -> str:
    envelope = given_envelope(record, source="aws.lambda")
    return json.dumps(envelope | {"detail-type": "AWS API Call via CloudTrail"} | changes)


def digest(body: str) -> str:
    return f"sha256-{hashlib.sha256(body.encode()).hexdigest()}"


@pytest.mark.parametrize("disposition", list(Disposition))
def test_a_report_is_a_notice_of_its_disposition(disposition: Disposition) -> None:
    notice = read_notice(report_body(disposition=disposition))
    assert notice.kind.value == disposition.value
    assert (notice.event_id, notice.account) == ("e-1", ACCOUNT)
    assert notice.principal == "AIDAEXAMPLEMALLORY"
    assert notice.facts["call"] == "CreateAccessKey"
    assert notice.undo == given_report().undo


def test_a_report_without_id_is_kept_by_arn_then_by_name() -> None:
    by_arn = read_notice(report_body(principal_id=""))
    by_name = read_notice(report_body(principal_id="", principal_arn=""))
    nobody = given_report(
        principal_id="", principal_arn="", principal_name="", principal_kind="", reason="unreadable"
    )
    by_nothing = read_notice(json.dumps(given_envelope(to_detail(nobody))))
    assert by_arn.principal == f"arn:aws:iam::{ACCOUNT}:user/mallory"
    assert by_name.principal == "user/mallory"
    assert by_nothing.principal == "nobody"


def test_sessions_of_a_role_are_one_principal_and_of_an_identity_center_role_each_its_own() -> None:
    def principal(name: str, session: str) -> str:
        report = {"principal_id": "AROAX", "principal_name": name, "session": session}
        return read_notice(report_body(**report)).principal

    assert principal("deployer", "a") == principal("deployer", "b") == "AROAX"
    assert principal("AWSReservedSSO_Admin_0123456789abcdef", "alice@example.com") == (
        "AROAX/alice@example.com"
    )


def test_a_forwarded_record_is_a_tamper_notice_that_says_who() -> None:
    notice = read_notice(tamper_body())
    assert notice.kind is NoticeKind.TAMPERED
    assert notice.event_id == "c0ffee00-0000-4000-8000-000000000001"
    assert notice.account == ACCOUNT
    assert notice.principal == "AROAEXAMPLEROLE"
    assert notice.facts == {
        "principal_kind": "role",
        "principal_name": "deployer",
        "principal_arn": f"arn:aws:iam::{ACCOUNT}:role/ops/deployer",
        "principal_id": "AROAEXAMPLEROLE",
        "session": "eve",
        "access_key": "ASIAEXAMPLEKEY",
        "service": "lambda.amazonaws.com",
        "call": "UpdateFunctionCode20150331v2",
        "call_time": "2026-09-21T13:46:40Z",
        "region": "us-east-1",
        "source_ip": "192.0.2.1",
        "user_agent": "aws-cli/2.15.0",
        "request": '{"functionName": "iam-org-revoker"}',
    }


@pytest.mark.parametrize(
    ("identity", "kind", "name", "principal"),
    [
        (
            {
                "type": "IAMUser",
                "arn": f"arn:aws:iam::{ACCOUNT}:user/eve",
                "principalId": "AIDAX",
                "userName": "eve",
            },
            "user",
            "eve",
            "AIDAX",
        ),
        (
            {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root", "principalId": ACCOUNT},
            "root",
            "",
            ACCOUNT,
        ),
        (
            {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"},
            "service",
            "",
            "AWSService",
        ),
        ({"type": "Unknown"}, "other", "", "Unknown"),
        ({}, "other", "", "nobody"),
    ],
)
def test_a_tamper_notice_names_every_kind_of_caller(
    identity: dict[str, str], kind: str, name: str, principal: str
) -> None:
    notice = read_notice(tamper_body(RECORD | {"userIdentity": identity}))
    assert notice.facts["principal_kind"] == kind
    assert notice.facts.get("principal_name", "") == name
    assert notice.principal == principal


def test_an_addendum_is_the_event_that_it_completes() -> None:
    record = RECORD | {"eventID": "new", "addendum": {"originalEventID": "old"}}
    assert read_notice(tamper_body(record)).event_id == "old"


@pytest.mark.parametrize(
    ("body", "account", "event", "why"),
    [
        ("{", "unknown", digest("{"), "The message is not JSON."),
        ("[" * 100_000, "unknown", digest("[" * 100_000), "The message is not JSON."),
        ("[]", "unknown", digest("[]"), "The message is not an event."),
        ("{}", "unknown", digest("{}"), "The event's envelope names no account."),
        (
            json.dumps(given_envelope({}, account="1111222233334")),
            "unknown",
            "envelope-1",
            "The event's envelope names no account.",
        ),
        (
            json.dumps(given_envelope(None)),
            ACCOUNT,
            "envelope-1",
            "The event has no detail.",
        ),
        (
            json.dumps(given_envelope({}, source="evil")),
            ACCOUNT,
            "envelope-1",
            "The event is neither a report nor an event of AWS.",
        ),
        (
            json.dumps(given_envelope({}, **{"detail-type": "IAM Org Revoker Report 2"})),
            ACCOUNT,
            "envelope-1",
            "The event is neither a report nor an event of AWS.",
        ),
        (
            json.dumps(given_envelope({}, source="awsx.iam")),
            ACCOUNT,
            "envelope-1",
            "The event is neither a report nor an event of AWS.",
        ),
        (
            tamper_body({"hello": "world"}),
            ACCOUNT,
            "envelope-1",
            "The AWS event is not a CloudTrail record.",
        ),
        (
            report_body(account="999988887777"),
            ACCOUNT,
            "envelope-1",
            f"The report names account 999988887777, its envelope {ACCOUNT}.",
        ),
        (
            json.dumps(given_envelope({"version": 2})),
            ACCOUNT,
            "envelope-1",
            "The report cannot be read: report version 2 is not 1.",
        ),
        (
            json.dumps(given_envelope(to_detail(given_report()) | {"event_id": ""})),
            ACCOUNT,
            "envelope-1",
            "The report names no event.",
        ),
    ],
)
def test_what_cannot_be_believed_is_a_refusal_under_its_envelope(
    body: str, account: str, event: str, why: str
) -> None:
    notice = read_notice(body)
    assert notice.kind is NoticeKind.REJECTED
    assert (notice.account, notice.event_id) == (account, event)
    assert notice.principal == "sender"
    assert notice.facts["rejected"] == why


def test_what_names_no_event_is_the_same_event_when_it_comes_in_another_message() -> None:
    first, again = (read_letter("{", message_id=id).notices for id in ("m-1", "m-2"))
    assert first == again


def test_a_forged_report_is_refused_with_whom_it_accuses() -> None:
    facts = read_notice(report_body(account="999988887777")).facts
    assert facts["claimed_account"] == "999988887777"
    assert facts["claimed_event"] == "e-1"
    assert facts["claimed_principal"] == f"arn:aws:iam::{ACCOUNT}:user/mallory"


def holes(value: Any) -> Iterator[Any]:
    """Copies of the value with each path deleted or replaced by something of another shape."""
    if isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
            for odd in (None, "", [], {}, 0, "x", True, [[1]], {"a": None}):
                yield value | {key: odd}
            for punched in holes(value[key]):
                yield value | {key: punched}


@pytest.mark.parametrize("body", [report_body(), tamper_body()], ids=["report", "tamper"])
def test_every_hole_in_an_event_still_ends_in_a_notice(body: str) -> None:
    punched = list(holes(json.loads(body)))
    assert len(punched) > 200
    for event in punched:
        before = copy.deepcopy(event)
        notice = read_notice(json.dumps(event))
        assert event == before
        assert notice.event_id
        assert notice.principal
        assert unpack_notice(pack_notice(notice)) == notice


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_ends_in_a_notice(value: Any) -> None:
    assert read_notice(json.dumps(value)).event_id
    assert read_notice(json.dumps(given_envelope(value))).event_id


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_a_notice_survives_the_table_whatever_its_texts(name: str, note: str) -> None:
    notice = read_notice(report_body(principal_name=name, notes=(note,)))
    packed = pack_notice(notice)
    assert packed.isascii()
    assert unpack_notice(packed) == notice


@pytest.mark.parametrize("text", ["x" * 10_000, "\\" * 10_000, "\U0001f600" * 10_000])
def test_two_of_the_largest_notices_fit_into_one_item(text: str) -> None:
    odd = dict.fromkeys(asdict(given_report()), text)
    for name in ("account", "disposition", "partition"):
        del odd[name]
    long = tuple(map(detached, (text[:140], text[:2_000], text))) * 20
    impact = ReportedImpact(
        what=text, remediation=text, done=text, missing=text, undo=long, critical=True
    )
    report = given_report(
        **(odd | {"undo": long, "notes": (text,) * 50, "impacts": (impact,) * 20})
    )
    notice = read_notice(json.dumps(given_envelope(to_detail(report))))
    assert notice.kind is NoticeKind.CONTAINED
    assert len(notice.undo) == len(notice.impacts) == LIST_LIMIT
    assert all(len(value) <= FACT_LIMIT for value in notice.facts.values())
    assert 2 * len(pack_notice(notice)) < 390_000


def test_an_undo_that_is_too_long_is_left_out_whole_and_said() -> None:
    short = detached("a")
    notice = read_notice(report_body(undo=(short, detached("x" * 3_000))))
    assert notice.undo == (short,)
    assert notice.notes == ("An undo command was too long for a mail and was left out.",)
