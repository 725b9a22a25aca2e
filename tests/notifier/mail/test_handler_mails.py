"""The mails on reports that the real handler makes: neither can change without the other."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from handler.model.principal import DenyMethod
from handler.notifier.mail.digest_mail import observed_mail
from handler.notifier.messages.notice import NoticeKind, event_key, incident_key
from handler.revoker.impacts.model import Remediation
from tests.doubles.account import a_user, event
from tests.notifier.central import read_notice
from tests.notifier.mail.handler_cases import (
    CASES,
    dead_tampering,
    observed_user,
    reported_of,
    spared_role,
)
from tests.notifier.mail.test_incident_mail import WORDS, as_text, given_incident

GOLDEN = Path(__file__).parents[1] / "golden" / "handler"
ITEM = re.compile(r"^  [0-9]+\. (.*(?:\n     (?!aws |python ).*)*)", re.MULTILINE)


def mail_of(name: str) -> str:
    return as_text(given_incident(reported_of(CASES[name]())))


@pytest.mark.parametrize("name", CASES)
def test_a_mail_on_a_real_report_is_its_golden_file(name: str) -> None:
    """After a wanted change: python -m tests.notifier.mail.test_handler_mails; read the diff."""
    assert mail_of(name) == (GOLDEN / f"{name}.txt").read_text()


def observed() -> str:
    """The daily digest about who was spared, by one setting and by another."""
    notices = [reported_of(observed_user()), reported_of(spared_role())]
    incidents = [
        given_incident(notice, key=str(number), incident_id=f"{number:012}")
        for number, notice in enumerate(notices)
    ]
    assert all(incident.is_daily for incident in incidents)
    mail = observed_mail(WORDS, incidents)
    return f"Subject: {mail.subject}\n\n{mail.body}"


def test_the_digest_says_which_setting_spared_whom() -> None:
    assert observed() == (GOLDEN / "observed.txt").read_text()


@pytest.mark.parametrize("name", ["blocked-breaker", "blocked-group"])
def test_whom_a_breaker_or_a_missing_group_spares_is_told_of_at_once_as_critical(name: str) -> None:
    notice = reported_of(CASES[name]())
    assert (notice.kind, notice.critical, notice.is_daily) == (
        NoticeKind.CANNOT_CONTAIN,
        True,
        False,
    )


def test_a_tamper_event_among_the_dead_letters_is_the_one_that_its_rule_forwards() -> None:
    """Critical and reminded of; counted once if both arrive, in one incident with others."""
    world = dead_tampering()
    late = reported_of(world)
    record = event(
        a_user("mallory", world.iam.users["mallory"].id, key="AKIAMALLORY"),
        "DisableRule",
        eventSource="events.amazonaws.com",
        requestParameters={"name": "iam-org-revoker-calls"},
    )
    envelope = record | {"source": "aws.events", "id": "envelope-2"}
    forwarded = read_notice(json.dumps(envelope))
    assert late.critical
    assert given_incident(late).is_reminded
    assert (late.kind, incident_key(late), event_key(late)) == (
        NoticeKind.TAMPERED,
        incident_key(forwarded),
        event_key(forwarded),
    )


def test_every_golden_mail_has_a_play() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {*CASES, "observed"}


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("changed-")])
def test_what_a_call_gave_is_told_in_sentences_without_codes(name: str) -> None:
    items = [" ".join(found.split()) for found in ITEM.findall(mail_of(name))]
    assert items
    # PutUserPolicy and the like name calls; what stands in quotes is a name of the account's.
    codes = {code.value for code in (*Remediation, *DenyMethod) if "-" in code.value}
    for text in items:
        assert re.match(r"(CRITICAL\. )?[A-Z]", text), text
        assert text.endswith((".", "then run:")), text
        assert all(re.match("[A-Z']", later) for later in re.split(r"(?<=[a-z'])\. ", text)), text
        assert not any(code in text for code in codes), text


if __name__ == "__main__":
    for stem in CASES:
        (GOLDEN / f"{stem}.txt").write_text(mail_of(stem))
    (GOLDEN / "observed.txt").write_text(observed())
