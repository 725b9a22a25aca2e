"""Accounts that stop and resume reporting: mailed once, and not while the notifier is behind."""

from __future__ import annotations

import json

from handler.model.heartbeat import NOT_REPORTING_SECONDS, unpack_heartbeat
from handler.notifier.store.accounts import FORGET_SECONDS
from stacksets.observed.heartbeats import Kept, read_central
from stacksets.status.inputs import central_is_behind
from tests.notifier.central import (
    ACCOUNT,
    START,
    Died,
    NotifierWorld,
    aws_error,
    heartbeat_body,
    read_notice,
    report_body,
)
from tests.stacksets.status.inputs import status_inputs

OTHERS = ("444455556666", "777788889999")


def run(notifier: NotifierWorld, seconds: int, *accounts: str, late: float = 0.0) -> None:
    """Minutes of sweeps, with heartbeats of these accounts every quarter of an hour."""
    for minute in range(seconds // 60):
        if minute % 15 == 0 and accounts:
            notifier.deliver(
                *[heartbeat_body(account, at=notifier.now - late) for account in accounts],
                sent_at=notifier.now - late,
            )
        assert notifier.sweep().failed == ()
        notifier.now += 60


def settle_in(notifier: NotifierWorld, *accounts: str) -> None:
    """The central account is awake for long enough to judge."""
    run(notifier, 3_600, *accounts)
    assert notifier.subjects() == []


def test_an_account_that_misses_two_heartbeats_is_told_of_once_and_its_return_once(
    notifier: NotifierWorld,
) -> None:
    settle_in(notifier, ACCOUNT, *OTHERS)
    # The last heartbeat was 15 minutes ago.
    run(notifier, 1_200, *OTHERS)
    assert notifier.subjects() == []
    run(notifier, 3_600, *OTHERS)
    assert notifier.subjects() == ["[Revoker not reporting] 111122223333 (acme-dev)"]
    run(notifier, 3_600, ACCOUNT, *OTHERS)
    assert notifier.subjects()[1:] == ["[Revoker reporting again] 111122223333 (acme-dev)"]
    run(notifier, 3_600, *OTHERS)
    assert notifier.subjects()[2:] == ["[Revoker not reporting] 111122223333 (acme-dev)"]


def test_accounts_that_fall_silent_together_are_one_mail(notifier: NotifierWorld) -> None:
    many = [f"{number:012d}" for number in range(1, 40)]
    settle_in(notifier, *many, *OTHERS)
    run(notifier, 3_600, *OTHERS)
    assert notifier.subjects() == ["[Revoker not reporting] 39 accounts"]
    assert all(account in notifier.topic.mails[0].body for account in many)


def test_a_central_account_that_slept_accuses_nobody(notifier: NotifierWorld) -> None:
    settle_in(notifier, ACCOUNT, *OTHERS)
    notifier.now += 86_400
    run(notifier, 3_600, ACCOUNT, *OTHERS)
    assert notifier.subjects() == []


def test_a_queue_that_is_behind_accuses_nobody(notifier: NotifierWorld) -> None:
    settle_in(notifier, ACCOUNT, *OTHERS)
    run(notifier, 10_800, ACCOUNT, *OTHERS, late=3_600)
    assert notifier.subjects() == []


def test_one_account_whose_heartbeats_are_old_does_not_excuse_the_others(
    notifier: NotifierWorld,
) -> None:
    """Only the queue's own time of arrival excuses: a heartbeat's text is its sender's."""
    settle_in(notifier, ACCOUNT, *OTHERS)
    for _ in range(8):
        notifier.deliver(
            *[heartbeat_body(account, at=notifier.now) for account in OTHERS[:1]],
            heartbeat_body(OTHERS[1], at=START),
            sent_at=notifier.now,
        )
        run(notifier, 900)
    assert notifier.subjects()[0] == "[Revoker not reporting] 2 accounts"


def test_when_nobody_is_heard_one_mail_says_where_to_look(notifier: NotifierWorld) -> None:
    settle_in(notifier, ACCOUNT, *OTHERS)
    run(notifier, 3_600)
    assert notifier.subjects() == ["[Revoker not reporting] 3 accounts"]
    assert notifier.topic.mails[0].attributes["kind"] == "no-heartbeats"
    assert "iam-org-revoker-notifier still reads the queue" in " ".join(
        notifier.topic.mails[0].body.split()
    )


def test_a_heartbeat_from_the_future_or_out_of_order_moves_nothing_back(
    notifier: NotifierWorld,
) -> None:
    notifier.deliver(heartbeat_body(at=START + 10**6))
    assert notifier.items()[f"account#{ACCOUNT}"]["last_heartbeat"] == START
    notifier.now += 60
    notifier.deliver(heartbeat_body(at=START - 600))
    assert notifier.items()[f"account#{ACCOUNT}"]["last_heartbeat"] == START
    assert notifier.items()[f"account#{ACCOUNT}"]["due_at"] == START + NOT_REPORTING_SECONDS


def test_the_last_heartbeat_is_kept_whole_but_for_long_texts(notifier: NotifierWorld) -> None:
    differences = tuple(f"{number} " + "x" * 500 for number in range(50))
    notifier.deliver(heartbeat_body(at=START - 60, dead_letters=2, ledger_differences=differences))
    item = notifier.items()[f"account#{ACCOUNT}"]
    kept = unpack_heartbeat(item["beat"])
    assert (kept.at, kept.mode, kept.dead_letters) == (START - 60, "enforce", 2)
    assert kept.ledger_differences == tuple(one[:160] for one in differences[:3])
    assert (item["last_heartbeat"], item["listed_at"]) == (START - 60, START - 60)
    notifier.deliver(heartbeat_body(at=START, mode="observe"))
    item = notifier.items()[f"account#{ACCOUNT}"]
    assert unpack_heartbeat(item["beat"]).mode == "observe"
    assert (item["last_heartbeat"], item["listed_at"]) == (START, START - 60)


def test_of_a_batch_the_latest_heartbeat_of_each_account_is_written(
    notifier: NotifierWorld,
) -> None:
    notifier.now = START + 5_000
    notifier.deliver(*[heartbeat_body(at=START + at) for at in (900, 2_700, 1_800)])
    assert notifier.items()[f"account#{ACCOUNT}"]["last_heartbeat"] == START + 2_700
    assert notifier.wire.calls.count("update") == 2


def test_a_silence_is_in_the_morning_s_reminder_and_forgotten_after_a_month(
    notifier: NotifierWorld,
) -> None:
    settle_in(notifier, ACCOUNT, *OTHERS)
    run(notifier, 2_400, *OTHERS)
    for _ in range(40):
        notifier.now += 86_400
        for _ in range(3):
            notifier.deliver(*[heartbeat_body(account, at=notifier.now) for account in OTHERS])
            notifier.sweep()
    reminders = [one for one in notifier.subjects() if one.startswith("[Daily reminder]")]
    assert set(reminders) == {"[Daily reminder] 1 account not reporting"}
    assert FORGET_SECONDS // 86_400 - 1 <= len(reminders) <= FORGET_SECONDS // 86_400 + 1
    assert "due_at" not in notifier.items()[f"account#{ACCOUNT}"]


def test_a_heartbeat_while_the_silence_is_told_of_is_a_return(notifier: NotifierWorld) -> None:
    settle_in(notifier, ACCOUNT, *OTHERS)
    run(notifier, 1_080, *OTHERS)

    def before(number: int, name: str) -> None:
        if name == "publish":
            notifier.wire.before = lambda number, name: None
            notifier.deliver(heartbeat_body(at=notifier.now))

    notifier.wire.before = before
    run(notifier, 900, *OTHERS)
    assert notifier.subjects() == [
        "[Revoker not reporting] 111122223333 (acme-dev)",
        "[Revoker reporting again] 111122223333 (acme-dev)",
    ]
    assert "not_reporting_since" not in notifier.items()[f"account#{ACCOUNT}"]


def test_a_sweep_that_dies_while_it_tells_of_a_silence_tells_of_it_again(
    notifier: NotifierWorld,
) -> None:
    settle_in(notifier, ACCOUNT, *OTHERS)
    run(notifier, 1_080, *OTHERS)

    def die(number: int, name: str) -> None:
        if name == "publish":
            raise Died

    notifier.wire.before = die
    died = 0
    for _ in range(20):
        try:
            notifier.sweep()
        except Died:
            died += 1
            notifier.wire.before = lambda number, name: None
        notifier.now += 60
        notifier.deliver(*[heartbeat_body(account, at=notifier.now) for account in OTHERS])
    assert died == 1
    assert notifier.subjects() == ["[Revoker not reporting] 111122223333 (acme-dev)"]


def test_a_heartbeat_of_another_account_is_refused(notifier: NotifierWorld) -> None:
    body = json.loads(heartbeat_body(at=START))
    body["detail"]["account"] = "999988887777"
    notice = read_notice(json.dumps(body))
    assert notice.facts["rejected"] == (
        "The heartbeat names account 999988887777, its envelope 111122223333."
    )
    body["detail"] = {"version": 9}
    assert read_notice(json.dumps(body)).facts["rejected"] == (
        "The heartbeat cannot be read: heartbeat version 9 is not 1."
    )


def test_a_heartbeat_that_cannot_be_written_comes_again_and_nothing_else_does(
    notifier: NotifierWorld,
) -> None:
    def before(number: int, name: str) -> None:
        if number == 0:
            raise aws_error("ProvisionedThroughputExceededException", "UpdateItem")

    notifier.wire.before = before
    assert notifier.deliver(heartbeat_body(at=START), report_body()) == ["m-0"]
    assert f"account#{ACCOUNT}" not in notifier.items()
    assert len(notifier.topic.mails) == 1


def test_the_status_excuses_the_same_accounts_as_the_mail_minute_by_minute(
    notifier: NotifierWorld,
) -> None:
    """Both judge by what the table holds: status excuses what the mail excuses."""
    settle_in(notifier, ACCOUNT, *OTHERS)
    notifier.now += 1_200
    for minute in range(120):
        if minute % 15 == 0:
            notifier.deliver(
                *[heartbeat_body(one, at=notifier.now) for one in OTHERS], sent_at=notifier.now
            )
        notifier.sweep()
        item = {name: one for name, one in notifier.items()["central"].items() if name != "pk"}
        kept = Kept(central=read_central({name: {"N": str(one)} for name, one in item.items()}))
        excused = central_is_behind(status_inputs(kept=kept, now=notifier.now))
        reported = "[Revoker not reporting] 111122223333 (acme-dev)" in notifier.subjects()
        assert reported is not excused, minute
        notifier.now += 60
    assert notifier.subjects() == ["[Revoker not reporting] 111122223333 (acme-dev)"]
