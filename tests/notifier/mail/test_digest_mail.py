"""Mails on many incidents or accounts: golden, in 72 columns, and safe to paste from."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handler.model.report import Disposition
from handler.model.settings import read_role_patterns
from handler.notifier.mail.digest_mail import (
    PART_LIMIT,
    digest_mail,
    not_reporting_mail,
    observed_mail,
    reminder_mail,
    reporting_again_mail,
)
from handler.notifier.mail.message import MESSAGE_LIMIT, Mail, sns_message
from handler.notifier.messages.notice import Incident, Watched
from tests.notifier.central import read_notice, report_body, words
from tests.notifier.mail.test_incident_mail import finding, given_incident

GOLDEN = Path(__file__).parents[1] / "golden" / "many"
WORDS = words()
ANY_TEXT = st.text(st.characters(codec=None), max_size=200)


def given_one(number: int = 0, *, calls: int = 1, **changes: Any) -> Incident:
    account = changes.get("account", "111122223333")
    body = report_body(f"e-{number}", **changes).replace(
        '"account": "111122223333"', f'"account": "{account}"'
    )
    return given_incident(
        read_notice(body),
        key=f"incident#{number}",
        incident_id=f"{number:012x}",
        calls=calls,
    )


def given_watched(account: str = "111122223333", alias: str = "acme-dev") -> Watched:
    return Watched(
        key=f"account#{account}",
        account=account,
        alias=alias,
        product_version="0.1.0",
        last_heartbeat=1_790_000_000,
        not_reporting_since=0,
        due_at=1_790_002_100,
    )


ROOT: dict[str, Any] = {
    "disposition": Disposition.CANNOT_CONTAIN,
    "principal_kind": "root",
    "principal_name": "",
    "alias": "acme-prod",
    "account": "444455556666",
}
HELD: dict[str, Any] = {
    "disposition": Disposition.WOULD_CONTAIN,
    "held_by": "Mode",
    "mode": "observe",
}
ROLE: dict[str, Any] = {
    "principal_kind": "role",
    "principal_name": "deployer",
    "principal_arn": "arn:aws:iam::111122223333:role/ops/deployer",
    "call": "CreatePolicyVersion",
}


def golden_mails() -> dict[str, Mail]:
    mixed = [
        given_one(1),
        given_one(2, calls=7, **ROLE),
        given_one(3, calls=31, **ROOT),
        given_one(4, principal_name="eve\u202e;rm -rf ~\n[IAM notice]" + "x" * 64, alias="a" * 63),
    ]
    odd = {"principal_arn": "arn:aws:iam::111122223333:role/a*,role/**"}
    observed = [
        given_one(1, calls=3, **HELD),
        given_one(2, **HELD, **ROLE),
        given_one(3, **HELD, principal_name="o'hara", alias="acme-prod", account="444455556666"),
        given_one(4, **HELD, **(ROLE | odd)),
    ]
    missing = [given_watched(), given_watched("444455556666", "")]
    return {
        "digest": digest_mail(WORDS, mixed),
        "observed": observed_mail(WORDS, observed),
        "reminder": reminder_mail(
            WORDS, [given_one(3, calls=31, **ROOT), given_incident(finding("trail-off"))], missing
        ),
        "reminder-accounts-only": reminder_mail(WORDS, [], missing[:1]),
        "not-reporting": not_reporting_mail(WORDS, missing[:1], none_reports=False),
        "no-heartbeats": not_reporting_mail(WORDS, missing, none_reports=True),
        "reporting-again": reporting_again_mail(WORDS, missing),
    }


def as_text(mail: Mail) -> str:
    return f"Subject: {mail.subject}\n\n{mail.body}"


@pytest.mark.parametrize("name", golden_mails())
def test_a_mail_on_many_is_its_golden_file(name: str) -> None:
    """After a wanted change: python -m tests.notifier.mail.test_digest_mail writes them again."""
    assert as_text(golden_mails()[name]) == (GOLDEN / f"{name}.txt").read_text()


def test_every_golden_mail_has_a_case() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(golden_mails())


def test_a_digest_names_every_incident_and_the_critical_ones_first() -> None:
    incidents = [given_one(n, principal_name=f"user-{n}") for n in range(PART_LIMIT - 1)]
    mail = digest_mail(WORDS, [*incidents, given_one(999, **ROOT)])
    for incident in incidents:
        assert f"  - [IAM revoked] {'user'} {incident.first.facts['principal_name']}\n" in mail.body
        assert f"    {incident.incident_id} CreateAccessKey, since " in mail.body
    assert mail.body.index("[CRITICAL: not contained] root") < mail.body.index("[IAM revoked]")
    assert mail.subject == "[Digest] 2 accounts: 250 incidents, 1 critical"
    assert mail.critical is True
    assert mail.accounts == ("111122223333", "444455556666")


@pytest.mark.parametrize("text", ["x" * 300, '"' * 300, "\\" * 300, "\U0001f600" * 300])
def test_a_whole_digest_fits_into_a_message_whatever_its_names(text: str) -> None:
    names = {"principal_name": text, "alias": text, "call": text, "reason": text, "call_time": text}
    mail = digest_mail(WORDS, [given_one(n, **names) for n in range(PART_LIMIT)])
    assert len(sns_message(mail)) <= MESSAGE_LIMIT


def pasted(mail: Mail, heading: str) -> list[str]:
    """The lines of the block under a heading, up to the next empty line."""
    after = mail.body.split(heading, 1)[1].split("\n\n", 2)
    return after[1].splitlines()


def test_the_roles_of_the_daily_digest_are_entries_that_adminrolepatterns_takes() -> None:
    second = {"principal_arn": "arn:aws:iam::111122223333:role/ops/builder@x=1+2-3_4.5"}
    mail = observed_mail(
        WORDS, [given_one(n, **HELD, **(ROLE | arn)) for n, arn in enumerate(({}, second, second))]
    )
    lines = pasted(mail, "parameter AdminRolePatterns.")
    patterns = [read_role_patterns(line.removeprefix("  # "))[0].pattern for line in lines]
    assert patterns == [ROLE["principal_arn"], second["principal_arn"]]


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::111122223333:role/*",
        "arn:aws:iam::111122223333:role/a,role/**",
        "arn:aws:iam::111122223333:role/a?",
        "arn:aws:iam::111122223333:role/a until 2099-01-01",
        "arn:aws:iam::444455556666:role/of-another-account",
        "arn:aws:iam::111122223333:user/mallory",
        "arn:aws:iam::111122223333:role/a\n,role/**",
        "",
    ],
)
def test_what_would_match_more_than_itself_is_not_offered_as_a_pattern(arn: str) -> None:
    mail = observed_mail(WORDS, [given_one(1, **HELD, **(ROLE | {"principal_arn": arn}))])
    (line,) = pasted(mail, "parameter AdminRolePatterns.")
    assert line.startswith("  not writable as a pattern: ")


@settings(max_examples=50)
@given(name=ANY_TEXT.filter(bool))
def test_a_line_for_a_user_is_one_command_for_that_user_once_its_comment_sign_is_gone(
    name: str,
) -> None:
    mail = observed_mail(WORDS, [given_one(1, **HELD, principal_name=name)])
    account, command = pasted(mail, "use your AdminGroupName.")
    assert account == "  In account 111122223333"
    assert shlex.split(command, comments=True) == []
    words_of = shlex.split(command.removeprefix("  # "))
    assert words_of[:4] == ["aws", "iam", "add-user-to-group", "--group-name=Administrators"]
    if name.isascii() and name.isprintable():
        assert words_of[4:] == [f"--user-name={name}"]
    else:
        assert len(words_of) == 5


def test_no_block_of_the_daily_digest_does_anything_when_it_is_pasted_whole() -> None:
    mail = golden_mails()["observed"]
    for heading in ("parameter AdminRolePatterns.", "use your AdminGroupName."):
        for line in pasted(mail, heading):
            assert line.startswith(("  # ", "  In account ", "  not writable as a pattern: ")), line


def test_the_daily_digest_says_what_helps_to_decide() -> None:
    first, failed = (
        read_notice(report_body(event, **HELD, error_code=code, call=call, source_ip=address))
        for event, call, code, address in (
            ("e-1", "CreateUser", "", "192.0.2.1"),
            ("e-9", "PutUserPolicy", "AccessDenied", "192.0.2.9"),
        )
    )
    mail = observed_mail(WORDS, [given_incident(first, latest=failed, calls=3)])
    said = " ".join(mail.body.split())
    assert "user mallory: 3 calls, first seen 2026-09-21T13:46:40Z" in said
    assert "first CreateUser succeeded, from 192.0.2.1, aws-cli/2.15.0" in said
    assert "latest PutUserPolicy FAILED (AccessDenied), from 192.0.2.9" in said
    assert "EACH LINE GRANTS IAM ADMINISTRATION" in said


@pytest.mark.parametrize("text", ["x" * 300, '"' * 300, "\\" * 300, "\U0001f600" * 300])
def test_a_whole_daily_digest_fits_into_a_message_whatever_its_names(text: str) -> None:
    facts = dict.fromkeys(("principal_name", "alias", "call", "reason", "call_time"), text)
    facts |= dict.fromkeys(("source_ip", "user_agent", "error_code"), text)
    notices = [read_notice(report_body(f"e-{n}", **HELD, **facts)) for n in range(2 * PART_LIMIT)]
    pairs = zip(notices[::2], notices[1::2], strict=True)
    mail = observed_mail(WORDS, [given_incident(one, latest=other) for one, other in pairs])
    assert len(sns_message(mail)) <= MESSAGE_LIMIT


@settings(max_examples=100)
@given(
    texts=st.dictionaries(
        st.sampled_from(
            ["alias", "principal_kind", "principal_name", "principal_arn", "call", "call_time"]
        ),
        ANY_TEXT,
    )
)
def test_no_text_breaks_a_line_the_width_or_a_subject_of_a_digest(texts: dict[str, str]) -> None:
    one = given_one(1, calls=10**6, **texts)
    quiet = replace(
        given_watched(), alias=texts.get("alias", ""), product_version=texts.get("call", "")
    )
    for mail in (
        digest_mail(WORDS, [one]),
        reminder_mail(WORDS, [one], [quiet]),
        not_reporting_mail(WORDS, [quiet], none_reports=False),
        reporting_again_mail(WORDS, [quiet, quiet]),
    ):
        assert re.fullmatch(r"[\x20-\x7e\n]+", mail.body)
        assert all(len(line) <= 72 for line in mail.body.splitlines())
        assert re.fullmatch(r"\[[A-Za-z: ]+\] [\x20-\x7e]{1,80}", mail.subject)
        assert len(mail.subject) < 100


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for stem, case in golden_mails().items():
        (GOLDEN / f"{stem}.txt").write_text(as_text(case))
