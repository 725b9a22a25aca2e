"""The incident store: once per event, one holder per mail, closed when quiet and nothing owed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from generator.central.template import NOTIFIER_SECONDS
from handler.model.report import Disposition
from handler.notifier.messages.notice import Incident, Notice, event_key, incident_key
from handler.notifier.store.due import find_due
from handler.notifier.store.incidents import (
    LEASE_SECONDS,
    MARKER_SECONDS,
    Turn,
    claim_mail,
    count_calls,
    give_back,
    mark_mailed,
    owe_mail,
)
from handler.notifier.store.table import TRIES, IncidentStore
from tests.notifier.desk import (
    QUIET,
    START,
    VISIBILITY,
    Desk,
    aws_error,
    read_notice,
    report_body,
)

KEY = "incident#111122223333#contained#AIDAEXAMPLEMALLORY"


def given_notice(event: str = "e-1", **changes: Any) -> Notice:
    return read_notice(report_body(event, **changes))


def count_call(store: IncidentStore, notice: Notice) -> bool:
    return count_calls(store, [notice]) == 1


@pytest.fixture
def desk(any_desk: Desk) -> Desk:
    return any_desk


def claimed(desk: Desk) -> Incident:
    incident = claim_mail(desk.store(), KEY)
    assert isinstance(incident, Incident)
    return incident


def mailed(desk: Desk) -> Incident:
    store = desk.store()
    incident = claim_mail(store, KEY)
    assert isinstance(incident, Incident)
    assert mark_mailed(store, incident) is Turn.NOTHING_DUE
    return incident


def test_the_first_call_writes_a_marker_opens_an_incident_and_notes_that_it_did(desk: Desk) -> None:
    assert count_call(desk.store(), given_notice()) is True
    items = desk.items()
    opened = f"opened#111122223333#contained#{items[KEY]['incident_id']}"
    facts = items[KEY].pop("first_facts")
    assert json.loads(facts) == json.loads(items[KEY].pop("last_facts"))
    assert items == {
        "event#111122223333#contained#e-1": {
            "pk": "event#111122223333#contained#e-1",
            "incident": KEY,
            "expires_at": 1_790_000_000 + 15 * 86_400,
        },
        KEY: {
            "pk": KEY,
            "incident_id": items[KEY]["incident_id"],
            "calls": 1,
            "next_mail": 1,
            "first_seen": 1_790_000_000,
            "last_seen": 1_790_000_000,
            "quiet_after": 1_790_086_400,
            "expires_at": 1_790_086_400 + 90 * 86_400,
        },
        opened: {
            "pk": opened,
            "listed_at": 1_790_000_000,
            "expires_at": 1_790_000_000 + 31 * 86_400,
        },
    }


def test_an_event_counts_once_however_often_it_comes(desk: Desk) -> None:
    counted = [count_call(desk.store(), given_notice()) for _ in range(64)]
    assert counted == [True] + [False] * 63
    assert desk.items()[KEY]["calls"] == 1


def test_more_calls_keep_the_first_facts_and_replace_the_latest(desk: Desk) -> None:
    count_call(desk.store(), given_notice("e-1", call="CreateUser"))
    desk.now += 60
    count_call(desk.store(), given_notice("e-2", call="CreateRole"))
    item = desk.items()[KEY]
    assert json.loads(item["first_facts"])["facts"]["call"] == "CreateUser"
    assert json.loads(item["last_facts"])["facts"]["call"] == "CreateRole"
    assert (item["calls"], item["first_seen"], item["last_seen"]) == (2, START, START + 60)


def test_an_expired_marker_that_was_not_deleted_is_no_marker(desk: Desk) -> None:
    count_call(desk.store(), given_notice())
    desk.now += MARKER_SECONDS
    assert count_call(desk.store(), given_notice()) is False
    desk.now += 1
    assert count_call(desk.store(), given_notice()) is True


def test_what_gets_worse_is_another_incident(desk: Desk) -> None:
    for disposition in Disposition:
        assert count_call(desk.store(), given_notice(disposition=disposition)) is True
    assert sum(key.startswith("incident#") for key in desk.items()) == len(Disposition)


def test_keys_keep_accounts_apart_and_stay_short_and_visible(desk: Desk) -> None:
    name = "\u202e" + "\U0001f600" * 3_000
    odd = given_notice(event_id="\n#e", principal_id=name)
    assert event_key(odd) == "event#111122223333#contained#\\n#e"
    assert incident_key(odd).startswith("incident#111122223333#contained#sha256-")
    assert count_call(desk.store(), odd) is True


def test_a_quiet_incident_closes_and_the_next_call_opens_another(desk: Desk) -> None:
    count_call(desk.store(), given_notice("e-1"))
    first = mailed(desk)
    desk.now += QUIET + 1
    assert count_call(desk.store(), given_notice("e-2")) is True
    item = desk.items()[KEY]
    assert (item["calls"], item["next_mail"], item["first_seen"]) == (1, 1, START + QUIET + 1)
    assert item["incident_id"] != first.incident_id
    # Of both it is kept when they were opened.
    opened = [one["listed_at"] for one in desk.items().values() if "listed_at" in one]
    assert sorted(opened) == [START, START + QUIET + 1]


def test_a_call_within_the_quiet_time_goes_on_with_the_incident(desk: Desk) -> None:
    count_call(desk.store(), given_notice("e-1"))
    mailed(desk)
    desk.now += QUIET
    count_call(desk.store(), given_notice("e-2"))
    assert desk.items()[KEY]["calls"] == 2


def test_an_incident_that_owes_a_mail_does_not_close(desk: Desk) -> None:
    count_call(desk.store(), given_notice("e-1"))
    desk.now += 3 * QUIET
    count_call(desk.store(), given_notice("e-2"))
    incident = claimed(desk)
    assert (incident.calls, incident.milestone, incident.first.event_id) == (2, 1, "e-1")


def test_one_holder_at_a_time_until_the_lease_ends(desk: Desk) -> None:
    count_call(desk.store(), given_notice())
    assert claimed(desk).milestone == 1
    assert claim_mail(desk.store(), KEY) is Turn.HELD
    desk.now += LEASE_SECONDS
    assert claim_mail(desk.store(), KEY) is Turn.HELD
    desk.now += 1
    assert claimed(desk).milestone == 1


def test_a_lease_outlasts_its_holder_and_ends_before_a_message_comes_again() -> None:
    assert NOTIFIER_SECONDS < LEASE_SECONDS < 6 * NOTIFIER_SECONDS == VISIBILITY


def test_a_lease_given_back_is_free_at_once(desk: Desk) -> None:
    count_call(desk.store(), given_notice())
    store = desk.store()
    incident = claim_mail(store, KEY)
    assert isinstance(incident, Incident)
    give_back(store, incident)
    assert claimed(desk) == incident


def test_a_lost_lease_neither_marks_nor_takes_the_lease_from_its_new_holder(desk: Desk) -> None:
    count_call(desk.store(), given_notice())
    slow = desk.store()
    incident = claim_mail(slow, KEY)
    assert isinstance(incident, Incident)
    desk.now += LEASE_SECONDS + 1
    claimed(desk)
    assert mark_mailed(slow, incident) is Turn.LOST
    give_back(slow, incident)
    assert claim_mail(desk.store(), KEY) is Turn.HELD


def test_milestones_come_in_order_and_none_is_due_between(desk: Desk) -> None:
    for number in range(12):
        count_call(desk.store(), given_notice(f"e-{number}"))
    due = []
    while isinstance(incident := claim_mail(store := desk.store(), KEY), Incident):
        due.append((incident.milestone, mark_mailed(store, incident)))
    assert due == [(1, Turn.MORE_DUE), (10, Turn.NOTHING_DUE)]
    assert incident is Turn.NOTHING_DUE
    assert "due_at" not in desk.items()[KEY]


def test_an_incident_that_vanished_is_not_called_done(desk: Desk) -> None:
    assert claim_mail(desk.store(), "incident#111122223333#contained#nobody") is Turn.MISSING
    assert owe_mail(desk.store(), "incident#111122223333#contained#nobody") is Turn.MISSING


def test_a_hundred_events_of_one_incident_are_two_transactions(desk: Desk) -> None:
    notices = [given_notice(f"e-{number}") for number in range(100)]
    assert count_calls(desk.store(), notices) == 100
    # Of the first, one more that finds no incident to go on with.
    assert desk.wire.calls == ["transact"] * 3
    assert desk.items()[KEY]["calls"] == 100
    assert sum(key.startswith("event#") for key in desk.items()) == 100


def test_what_was_counted_before_is_left_out_and_the_rest_counts(desk: Desk) -> None:
    old = [given_notice(f"e-{number}") for number in range(5)]
    count_calls(desk.store(), old)
    fresh = [given_notice(f"e-{number}") for number in range(3, 10)]
    assert count_calls(desk.store(), [*fresh, *fresh]) == 5
    assert desk.items()[KEY]["calls"] == 10
    assert count_calls(desk.store(), fresh) == 0


def test_a_batch_keeps_its_first_facts_and_its_last(desk: Desk) -> None:
    calls = ["CreateUser", "CreateRole", "CreateAccessKey"]
    count_calls(desk.store(), [given_notice(f"e-{call}", call=call) for call in calls])
    item = desk.items()[KEY]
    assert json.loads(item["first_facts"])["facts"]["call"] == "CreateUser"
    assert json.loads(item["last_facts"])["facts"]["call"] == "CreateAccessKey"


def test_a_claim_is_found_by_the_sweep_only_once_its_lease_ended(desk: Desk) -> None:
    count_call(desk.store(), given_notice())
    assert find_due(desk.store()) == {}
    claimed(desk)
    assert find_due(desk.store()) == {}
    desk.now += LEASE_SECONDS + 1
    assert find_due(desk.store()) == {KEY: int(desk.now)}


def test_a_claim_whose_answer_was_lost_is_had_by_asking_again(desk: Desk) -> None:
    count_call(desk.store(), given_notice())
    store = desk.store()
    assert isinstance(claim_mail(store, KEY), Incident)
    assert isinstance(claim_mail(store, KEY), Incident)
    assert claim_mail(desk.store(), KEY) is Turn.HELD


def test_a_mail_left_to_the_sweep_is_due_at_once_and_is_owed_since_the_first_time(
    desk: Desk,
) -> None:
    count_call(desk.store(), given_notice())
    assert owe_mail(desk.store(), KEY) is Turn.HELD
    desk.now += 60
    assert owe_mail(desk.store(), KEY) is Turn.HELD
    item = desk.items()[KEY]
    assert (item["owed_since"], item["due_at"]) == (START, START + 60)
    mailed(desk)
    assert owe_mail(desk.store(), KEY) is Turn.NOTHING_DUE
    assert {"owed_since", "due_at"} & set(desk.items()[KEY]) == set()


def test_a_mail_left_to_the_morning_keeps_its_morning(desk: Desk) -> None:
    count_call(desk.store(), given_notice())
    for _ in range(2):
        owe_mail(desk.store(), KEY, daily=True)
        desk.now += 3_600
    # 2026-09-21T13:33:20Z is START; the next 06:00 UTC:
    assert desk.items()[KEY]["due_at"] == 1_790_056_800


def test_what_is_critical_is_due_again_in_the_morning_once_it_is_mailed(desk: Desk) -> None:
    notice = given_notice(disposition=Disposition.CANNOT_CONTAIN)
    count_calls(desk.store(), [notice])
    store = desk.store()
    incident = claim_mail(store, incident_key(notice))
    assert isinstance(incident, Incident)
    assert mark_mailed(store, incident) is Turn.NOTHING_DUE
    assert desk.items()[incident.key]["due_at"] == 1_790_056_800


def cancelled(marker: str, incident: str) -> ClientError:
    reasons = [{"Code": marker}, {"Code": incident}]
    return aws_error(
        "TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons
    )


def fails(desk: Desk, times: int, error: ClientError) -> None:
    """The wire answers so many calls with the error, then works."""
    typed = desk.table.client.exceptions.from_code(error.response["Error"]["Code"])
    mapped = typed(error.response, error.operation_name)

    def before(number: int, name: str) -> None:
        if number < times:
            raise mapped

    desk.wire.calls.clear()
    desk.wire.before = before


AGAIN = [
    ("TransactionConflict", "None"),
    ("None", "TransactionConflict"),
    ("TransactionConflict", "TransactionConflict"),
    ("None", "ThrottlingError"),
    ("None", "ProvisionedThroughputExceeded"),
]


@pytest.mark.parametrize(("marker", "incident"), AGAIN)
def test_a_conflict_means_again_and_neither_duplicate_nor_counted(
    desk: Desk, marker: str, incident: str
) -> None:
    fails(desk, 2, cancelled(marker, incident))
    assert count_call(desk.store(), given_notice()) is True
    assert desk.items()[KEY]["calls"] == 1
    assert len(desk.pauses) == 2
    assert all(0 < pause <= 0.02 * 2**n for n, pause in enumerate(desk.pauses, start=1))


def test_a_conflict_without_end_is_raised_and_counts_nothing(desk: Desk) -> None:
    fails(desk, 1_000, cancelled("None", "TransactionConflict"))
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        count_call(desk.store(), given_notice())
    assert desk.wire.calls == ["transact"] * TRIES
    assert desk.items() == {}


def test_a_duplicate_is_one_even_when_the_counter_is_contended(desk: Desk) -> None:
    fails(desk, 1, cancelled("ConditionalCheckFailed", "TransactionConflict"))
    assert count_call(desk.store(), given_notice()) is False


@pytest.mark.parametrize("code", ["ValidationError", "ItemCollectionSizeLimitExceeded"])
def test_a_reason_without_answer_is_raised_at_once(desk: Desk, code: str) -> None:
    fails(desk, 1, cancelled("None", code))
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        count_call(desk.store(), given_notice())
    assert desk.wire.calls == ["transact"]


def test_a_claim_that_meets_a_transaction_is_tried_again(desk: Desk) -> None:
    count_call(desk.store(), given_notice())
    fails(desk, 3, aws_error("TransactionConflictException", "UpdateItem"))
    assert claimed(desk).milestone == 1
    assert desk.wire.calls == ["update"] * 4
    desk.now += LEASE_SECONDS + 1
    fails(desk, 1_000, aws_error("TransactionConflictException", "UpdateItem"))
    with pytest.raises(ClientError, match="TransactionConflictException"):
        claim_mail(desk.store(), KEY)


def test_who_loses_the_race_to_open_goes_on_with_the_winner(desk: Desk) -> None:
    """Between the refused update and the refused opening somebody else opens the incident."""

    def before(number: int, name: str) -> None:
        if number == 1:
            desk.wire.before = lambda number, name: None
            assert count_call(desk.store(), given_notice("e-2")) is True

    desk.wire.before = before
    assert count_call(desk.store(), given_notice("e-1")) is True
    item = desk.items()[KEY]
    assert item["calls"] == 2
    assert json.loads(item["first_facts"])["event_id"] == "e-2"
