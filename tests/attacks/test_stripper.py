"""Within IAM's four seconds the deny can be stripped: the guardrail forbids it, else it comes back.

A loop of its holder's own looks and strips every 100 ms.
"""

from __future__ import annotations

import time

import pytest

from handler.model.report import Disposition
from sandbox.demo.deny_stripper import Seen, strip_for
from sandbox.demo.product_setup import guarded, slow_iam
from tests.attacks.conftest import NewPlay
from tests.attacks.play import Play

DELAY = 4.0
LOOP = 6.0


@pytest.fixture
def play(new_play: NewPlay) -> Play:
    return new_play("watched")


def attack(play: Play) -> Seen:
    """mallory makes a group, and from then on strips whatever is put on her."""
    play.user("mallory", "iam:*")
    mallory = play.iam("mallory")
    mallory.create_group(GroupName=play.name("first"))
    return strip_for(mallory, user=play["mallory"], deny=play.deny, seconds=LOOP)


def test_with_the_guardrail_the_deny_is_never_off_again(play: Play) -> None:
    with guarded(play.box, play.account), slow_iam(play.box, DELAY):
        began = time.monotonic()
        seen = attack(play)
        took = time.monotonic() - began
        assert play.refused("mallory")
    assert True in seen.looks, "the deny was never seen: the loop tested nothing"
    assert not seen.lost
    assert seen.stripped == 0
    # She was still served for the whole of IAM's delay: only the guardrail refused her.
    assert seen.refused >= 10
    assert took >= DELAY
    assert play.is_held("mallory")


def test_without_it_every_strip_is_an_event_that_puts_the_deny_back(play: Play) -> None:
    with slow_iam(play.box, DELAY):
        seen = attack(play)
        reports = play.hear()
    assert seen.stripped >= 3, seen
    assert play.is_held("mallory")
    assert play.refused("mallory")
    reported = [report for report in reports if report.call == "DetachUserPolicy"]
    assert len(reported) >= seen.stripped
    gave = f"the policy '{play.deny}', detached from user '{play['mallory']}'"
    successes = [report for report in reported if not report.error_code]
    assert [[impact.what for impact in report.impacts] for report in successes] == [
        [gave] for _ in range(seen.stripped)
    ]
    assert {report.disposition for report in reported} == {Disposition.CONTAINED}
    subjects = [mail.subject for mail in play.box.outbox if play["mallory"] in mail.subject]
    assert any(subject.startswith("[Revoker tampered]") for subject in subjects), subjects
    assert any(subject.startswith("[IAM revoked]") for subject in subjects), subjects


def test_without_it_a_strip_that_nobody_heard_of_is_put_back_by_the_reconciliation(
    play: Play,
) -> None:
    play.box.lose(lambda record: record["eventName"] == "DetachUserPolicy")
    try:
        with slow_iam(play.box, DELAY):
            seen = attack(play)
            play.hear()
    finally:
        play.box.lose(None)
    assert seen.stripped == 1, seen
    assert not play.is_held("mallory")
    # What a sweep would mail by now of other incidents, such as the morning's reminders.
    play.box.tick()
    play.box.settle()
    mailed = len(play.box.outbox)
    play.reconcile(after=61)
    (report,) = [one for one in play.hear() if one.principal_name == play["mallory"]]
    assert report.disposition is Disposition.DENY_REMOVED
    assert report.notes[0].endswith("It was re-attached.")
    assert play.is_held("mallory")
    assert play.refused("mallory")
    (mail,) = list(play.box.outbox)[mailed:]
    assert play["mallory"] in mail.subject
    assert "was missing or altered. It was re-attached." in " ".join(mail.body.split())
