"""Silence and its end: told once, by the account's own time, and not while the centre is behind."""

from __future__ import annotations

import json

from handler.model.heartbeat import SILENT_SECONDS, unpack_heartbeat
from handler.notifier.store.accounts import FORGET_SECONDS
from stacksets.observed.heartbeats import Kept, read_centre
from stacksets.status.inputs import centre_is_behind
from tests.notifier.desk import (
    ACCOUNT,
    START,
    Desk,
    Died,
    aws_error,
    heartbeat_body,
    read_notice,
    report_body,
)
from tests.stacksets.status.inputs import a_sight

OTHERS = ("444455556666", "777788889999")


def run(desk: Desk, seconds: int, *accounts: str, late: float = 0.0) -> None:
    """Minutes of sweeps, with heartbeats of these accounts every quarter of an hour."""
    for minute in range(seconds // 60):
        if minute % 15 == 0 and accounts:
            desk.deliver(
                *[heartbeat_body(account, at=desk.now - late) for account in accounts],
                sent_at=desk.now - late,
            )
        assert desk.sweep().failed == ()
        desk.now += 60


def settle_in(desk: Desk, *accounts: str) -> None:
    """The centre is awake for long enough to judge."""
    run(desk, 3_600, *accounts)
    assert desk.subjects() == []


def test_an_account_that_misses_two_heartbeats_is_told_of_once_and_its_return_once(
    desk: Desk,
) -> None:
    settle_in(desk, ACCOUNT, *OTHERS)
    # The last heartbeat was 15 minutes ago.
    run(desk, 1_200, *OTHERS)
    assert desk.subjects() == []
    run(desk, 3_600, *OTHERS)
    assert desk.subjects() == ["[Revoker not reporting] 111122223333 (acme-dev)"]
    run(desk, 3_600, ACCOUNT, *OTHERS)
    assert desk.subjects()[1:] == ["[Revoker reporting again] 111122223333 (acme-dev)"]
    run(desk, 3_600, *OTHERS)
    assert desk.subjects()[2:] == ["[Revoker not reporting] 111122223333 (acme-dev)"]


def test_accounts_that_fall_silent_together_are_one_mail(desk: Desk) -> None:
    many = [f"{number:012d}" for number in range(1, 40)]
    settle_in(desk, *many, *OTHERS)
    run(desk, 3_600, *OTHERS)
    assert desk.subjects() == ["[Revoker not reporting] 39 accounts"]
    assert all(account in desk.topic.mails[0].body for account in many)


def test_a_centre_that_slept_accuses_nobody(desk: Desk) -> None:
    settle_in(desk, ACCOUNT, *OTHERS)
    desk.now += 86_400
    run(desk, 3_600, ACCOUNT, *OTHERS)
    assert desk.subjects() == []


def test_a_queue_that_is_behind_accuses_nobody(desk: Desk) -> None:
    settle_in(desk, ACCOUNT, *OTHERS)
    run(desk, 10_800, ACCOUNT, *OTHERS, late=3_600)
    assert desk.subjects() == []


def test_one_account_whose_heartbeats_are_old_does_not_excuse_the_others(desk: Desk) -> None:
    """Only the queue's own time of arrival excuses: a heartbeat's text is its sender's."""
    settle_in(desk, ACCOUNT, *OTHERS)
    for _ in range(8):
        desk.deliver(
            *[heartbeat_body(account, at=desk.now) for account in OTHERS[:1]],
            heartbeat_body(OTHERS[1], at=START),
            sent_at=desk.now,
        )
        run(desk, 900)
    assert desk.subjects()[0] == "[Revoker not reporting] 2 accounts"


def test_when_nobody_is_heard_one_mail_says_where_to_look(desk: Desk) -> None:
    settle_in(desk, ACCOUNT, *OTHERS)
    run(desk, 3_600)
    assert desk.subjects() == ["[Revoker not reporting] 3 accounts"]
    assert desk.topic.mails[0].attributes["kind"] == "no-heartbeats"
    assert "iam-org-revoker-notifier still reads the queue" in " ".join(
        desk.topic.mails[0].body.split()
    )


def test_a_heartbeat_from_the_future_or_out_of_order_moves_nothing_back(desk: Desk) -> None:
    desk.deliver(heartbeat_body(at=START + 10**6))
    assert desk.items()[f"account#{ACCOUNT}"]["last_heard"] == START
    desk.now += 60
    desk.deliver(heartbeat_body(at=START - 600))
    assert desk.items()[f"account#{ACCOUNT}"]["last_heard"] == START
    assert desk.items()[f"account#{ACCOUNT}"]["due_at"] == START + SILENT_SECONDS


def test_the_last_heartbeat_is_kept_whole_but_for_long_texts(desk: Desk) -> None:
    differences = tuple(f"{number} " + "x" * 500 for number in range(50))
    desk.deliver(heartbeat_body(at=START - 60, dead_letters=2, roster_differences=differences))
    item = desk.items()[f"account#{ACCOUNT}"]
    kept = unpack_heartbeat(item["beat"])
    assert (kept.at, kept.mode, kept.dead_letters) == (START - 60, "enforce", 2)
    assert kept.roster_differences == tuple(one[:160] for one in differences[:3])
    assert (item["last_heard"], item["listed_at"]) == (START - 60, START - 60)
    desk.deliver(heartbeat_body(at=START, mode="observe"))
    item = desk.items()[f"account#{ACCOUNT}"]
    assert unpack_heartbeat(item["beat"]).mode == "observe"
    assert (item["last_heard"], item["listed_at"]) == (START, START - 60)


def test_of_a_batch_the_latest_heartbeat_of_each_account_is_written(desk: Desk) -> None:
    desk.now = START + 5_000
    desk.deliver(*[heartbeat_body(at=START + at) for at in (900, 2_700, 1_800)])
    assert desk.items()[f"account#{ACCOUNT}"]["last_heard"] == START + 2_700
    assert desk.wire.calls.count("update") == 2


def test_a_silence_is_in_the_morning_s_reminder_and_forgotten_after_a_month(desk: Desk) -> None:
    settle_in(desk, ACCOUNT, *OTHERS)
    run(desk, 2_400, *OTHERS)
    for _ in range(40):
        desk.now += 86_400
        for _ in range(3):
            desk.deliver(*[heartbeat_body(account, at=desk.now) for account in OTHERS])
            desk.sweep()
    reminders = [one for one in desk.subjects() if one.startswith("[Daily reminder]")]
    assert set(reminders) == {"[Daily reminder] 1 account not reporting"}
    assert FORGET_SECONDS // 86_400 - 1 <= len(reminders) <= FORGET_SECONDS // 86_400 + 1
    assert "due_at" not in desk.items()[f"account#{ACCOUNT}"]


def test_a_heartbeat_while_the_silence_is_told_of_is_a_return(desk: Desk) -> None:
    settle_in(desk, ACCOUNT, *OTHERS)
    run(desk, 1_080, *OTHERS)

    def before(number: int, name: str) -> None:
        if name == "publish":
            desk.wire.before = lambda number, name: None
            desk.deliver(heartbeat_body(at=desk.now))

    desk.wire.before = before
    run(desk, 900, *OTHERS)
    assert desk.subjects() == [
        "[Revoker not reporting] 111122223333 (acme-dev)",
        "[Revoker reporting again] 111122223333 (acme-dev)",
    ]
    assert "silent_since" not in desk.items()[f"account#{ACCOUNT}"]


def test_a_sweep_that_dies_while_it_tells_of_a_silence_tells_of_it_again(desk: Desk) -> None:
    settle_in(desk, ACCOUNT, *OTHERS)
    run(desk, 1_080, *OTHERS)

    def die(number: int, name: str) -> None:
        if name == "publish":
            raise Died

    desk.wire.before = die
    died = 0
    for _ in range(20):
        try:
            desk.sweep()
        except Died:
            died += 1
            desk.wire.before = lambda number, name: None
        desk.now += 60
        desk.deliver(*[heartbeat_body(account, at=desk.now) for account in OTHERS])
    assert died == 1
    assert desk.subjects() == ["[Revoker not reporting] 111122223333 (acme-dev)"]


def test_a_heartbeat_of_another_account_is_refused(desk: Desk) -> None:
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


def test_a_heartbeat_that_cannot_be_written_comes_again_and_nothing_else_does(desk: Desk) -> None:
    def before(number: int, name: str) -> None:
        if number == 0:
            raise aws_error("ProvisionedThroughputExceededException", "UpdateItem")

    desk.wire.before = before
    assert desk.deliver(heartbeat_body(at=START), report_body()) == ["m-0"]
    assert f"account#{ACCOUNT}" not in desk.items()
    assert len(desk.topic.mails) == 1


def test_the_status_excuses_the_same_accounts_as_the_mail_minute_by_minute(desk: Desk) -> None:
    """Both judge by what the centre wrote down: no status calls silent whom the mail excuses."""
    settle_in(desk, ACCOUNT, *OTHERS)
    desk.now += 1_200
    for minute in range(120):
        if minute % 15 == 0:
            desk.deliver(*[heartbeat_body(one, at=desk.now) for one in OTHERS], sent_at=desk.now)
        desk.sweep()
        item = {name: one for name, one in desk.items()["centre"].items() if name != "pk"}
        kept = Kept(centre=read_centre({name: {"N": str(one)} for name, one in item.items()}))
        excused = centre_is_behind(a_sight(kept=kept, now=desk.now))
        told = "[Revoker not reporting] 111122223333 (acme-dev)" in desk.subjects()
        assert told is not excused, minute
        desk.now += 60
    assert desk.subjects() == ["[Revoker not reporting] 111122223333 (acme-dev)"]
