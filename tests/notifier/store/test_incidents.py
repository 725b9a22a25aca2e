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
from tests.notifier.central import (
    QUIET,
    START,
    VISIBILITY,
    NotifierWorld,
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
def notifier(any_notifier: NotifierWorld) -> NotifierWorld:
    return any_notifier


def claimed(notifier: NotifierWorld) -> Incident:
    incident = claim_mail(notifier.store(), KEY)
    assert isinstance(incident, Incident)
    return incident


def mailed(notifier: NotifierWorld) -> Incident:
    store = notifier.store()
    incident = claim_mail(store, KEY)
    assert isinstance(incident, Incident)
    assert mark_mailed(store, incident) is Turn.NOTHING_DUE
    return incident


def test_the_first_call_writes_a_marker_opens_an_incident_and_notes_that_it_did(
    notifier: NotifierWorld,
) -> None:
    assert count_call(notifier.store(), given_notice()) is True
    items = notifier.items()
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


def test_an_event_counts_once_however_often_it_comes(notifier: NotifierWorld) -> None:
    counted = [count_call(notifier.store(), given_notice()) for _ in range(64)]
    assert counted == [True] + [False] * 63
    assert notifier.items()[KEY]["calls"] == 1


def test_more_calls_keep_the_first_facts_and_replace_the_latest(notifier: NotifierWorld) -> None:
    count_call(notifier.store(), given_notice("e-1", call="CreateUser"))
    notifier.now += 60
    count_call(notifier.store(), given_notice("e-2", call="CreateRole"))
    item = notifier.items()[KEY]
    assert json.loads(item["first_facts"])["facts"]["call"] == "CreateUser"
    assert json.loads(item["last_facts"])["facts"]["call"] == "CreateRole"
    assert (item["calls"], item["first_seen"], item["last_seen"]) == (2, START, START + 60)


def test_an_expired_marker_that_was_not_deleted_is_no_marker(notifier: NotifierWorld) -> None:
    count_call(notifier.store(), given_notice())
    notifier.now += MARKER_SECONDS
    assert count_call(notifier.store(), given_notice()) is False
    notifier.now += 1
    assert count_call(notifier.store(), given_notice()) is True


def test_what_gets_worse_is_another_incident(notifier: NotifierWorld) -> None:
    for disposition in Disposition:
        assert count_call(notifier.store(), given_notice(disposition=disposition)) is True
    assert sum(key.startswith("incident#") for key in notifier.items()) == len(Disposition)


def test_keys_keep_accounts_apart_and_stay_short_and_visible(notifier: NotifierWorld) -> None:
    name = "\u202e" + "\U0001f600" * 3_000
    odd = given_notice(event_id="\n#e", principal_id=name)
    assert event_key(odd) == "event#111122223333#contained#\\n#e"
    assert incident_key(odd).startswith("incident#111122223333#contained#sha256-")
    assert count_call(notifier.store(), odd) is True


def test_a_quiet_incident_closes_and_the_next_call_opens_another(notifier: NotifierWorld) -> None:
    count_call(notifier.store(), given_notice("e-1"))
    first = mailed(notifier)
    notifier.now += QUIET + 1
    assert count_call(notifier.store(), given_notice("e-2")) is True
    item = notifier.items()[KEY]
    assert (item["calls"], item["next_mail"], item["first_seen"]) == (1, 1, START + QUIET + 1)
    assert item["incident_id"] != first.incident_id
    # Of both it is kept when they were opened.
    opened = [one["listed_at"] for one in notifier.items().values() if "listed_at" in one]
    assert sorted(opened) == [START, START + QUIET + 1]


def test_a_call_within_the_quiet_time_goes_on_with_the_incident(notifier: NotifierWorld) -> None:
    count_call(notifier.store(), given_notice("e-1"))
    mailed(notifier)
    notifier.now += QUIET
    count_call(notifier.store(), given_notice("e-2"))
    assert notifier.items()[KEY]["calls"] == 2


def test_an_incident_that_owes_a_mail_does_not_close(notifier: NotifierWorld) -> None:
    count_call(notifier.store(), given_notice("e-1"))
    notifier.now += 3 * QUIET
    count_call(notifier.store(), given_notice("e-2"))
    incident = claimed(notifier)
    assert (incident.calls, incident.milestone, incident.first.event_id) == (2, 1, "e-1")


def test_one_holder_at_a_time_until_the_lease_ends(notifier: NotifierWorld) -> None:
    count_call(notifier.store(), given_notice())
    assert claimed(notifier).milestone == 1
    assert claim_mail(notifier.store(), KEY) is Turn.HELD
    notifier.now += LEASE_SECONDS
    assert claim_mail(notifier.store(), KEY) is Turn.HELD
    notifier.now += 1
    assert claimed(notifier).milestone == 1


def test_a_lease_outlasts_its_holder_and_ends_before_a_message_comes_again() -> None:
    assert NOTIFIER_SECONDS < LEASE_SECONDS < 6 * NOTIFIER_SECONDS == VISIBILITY


def test_a_lease_given_back_is_free_at_once(notifier: NotifierWorld) -> None:
    count_call(notifier.store(), given_notice())
    store = notifier.store()
    incident = claim_mail(store, KEY)
    assert isinstance(incident, Incident)
    give_back(store, incident)
    assert claimed(notifier) == incident


def test_a_lost_lease_neither_marks_nor_takes_the_lease_from_its_new_holder(
    notifier: NotifierWorld,
) -> None:
    count_call(notifier.store(), given_notice())
    slow = notifier.store()
    incident = claim_mail(slow, KEY)
    assert isinstance(incident, Incident)
    notifier.now += LEASE_SECONDS + 1
    claimed(notifier)
    assert mark_mailed(slow, incident) is Turn.LOST
    give_back(slow, incident)
    assert claim_mail(notifier.store(), KEY) is Turn.HELD


def test_milestones_come_in_order_and_none_is_due_between(notifier: NotifierWorld) -> None:
    for number in range(12):
        count_call(notifier.store(), given_notice(f"e-{number}"))
    due = []
    while isinstance(incident := claim_mail(store := notifier.store(), KEY), Incident):
        due.append((incident.milestone, mark_mailed(store, incident)))
    assert due == [(1, Turn.MORE_DUE), (10, Turn.NOTHING_DUE)]
    assert incident is Turn.NOTHING_DUE
    assert "due_at" not in notifier.items()[KEY]


def test_an_incident_that_vanished_is_not_called_done(notifier: NotifierWorld) -> None:
    assert claim_mail(notifier.store(), "incident#111122223333#contained#nobody") is Turn.MISSING
    assert owe_mail(notifier.store(), "incident#111122223333#contained#nobody") is Turn.MISSING


def test_a_hundred_events_of_one_incident_are_two_transactions(notifier: NotifierWorld) -> None:
    notices = [given_notice(f"e-{number}") for number in range(100)]
    assert count_calls(notifier.store(), notices) == 100
    # Of the first, one more that finds no incident to go on with.
    assert notifier.wire.calls == ["transact"] * 3
    assert notifier.items()[KEY]["calls"] == 100
    assert sum(key.startswith("event#") for key in notifier.items()) == 100


def test_what_was_counted_before_is_left_out_and_the_rest_counts(notifier: NotifierWorld) -> None:
    old = [given_notice(f"e-{number}") for number in range(5)]
    count_calls(notifier.store(), old)
    fresh = [given_notice(f"e-{number}") for number in range(3, 10)]
    assert count_calls(notifier.store(), [*fresh, *fresh]) == 5
    assert notifier.items()[KEY]["calls"] == 10
    assert count_calls(notifier.store(), fresh) == 0


def test_a_batch_keeps_its_first_facts_and_its_last(notifier: NotifierWorld) -> None:
    calls = ["CreateUser", "CreateRole", "CreateAccessKey"]
    count_calls(notifier.store(), [given_notice(f"e-{call}", call=call) for call in calls])
    item = notifier.items()[KEY]
    assert json.loads(item["first_facts"])["facts"]["call"] == "CreateUser"
    assert json.loads(item["last_facts"])["facts"]["call"] == "CreateAccessKey"


def test_a_claim_is_found_by_the_sweep_only_once_its_lease_ended(notifier: NotifierWorld) -> None:
    count_call(notifier.store(), given_notice())
    assert find_due(notifier.store()) == {}
    claimed(notifier)
    assert find_due(notifier.store()) == {}
    notifier.now += LEASE_SECONDS + 1
    assert find_due(notifier.store()) == {KEY: int(notifier.now)}


def test_a_claim_whose_answer_was_lost_is_had_by_asking_again(notifier: NotifierWorld) -> None:
    count_call(notifier.store(), given_notice())
    store = notifier.store()
    assert isinstance(claim_mail(store, KEY), Incident)
    assert isinstance(claim_mail(store, KEY), Incident)
    assert claim_mail(notifier.store(), KEY) is Turn.HELD


def test_a_mail_left_to_the_sweep_is_due_at_once_and_is_owed_since_the_first_time(
    notifier: NotifierWorld,
) -> None:
    count_call(notifier.store(), given_notice())
    assert owe_mail(notifier.store(), KEY) is Turn.HELD
    notifier.now += 60
    assert owe_mail(notifier.store(), KEY) is Turn.HELD
    item = notifier.items()[KEY]
    assert (item["due_since"], item["due_at"]) == (START, START + 60)
    mailed(notifier)
    assert owe_mail(notifier.store(), KEY) is Turn.NOTHING_DUE
    assert {"due_since", "due_at"} & set(notifier.items()[KEY]) == set()


def test_a_mail_left_to_the_morning_keeps_its_morning(notifier: NotifierWorld) -> None:
    count_call(notifier.store(), given_notice())
    for _ in range(2):
        owe_mail(notifier.store(), KEY, daily=True)
        notifier.now += 3_600
    # 2026-09-21T13:33:20Z is START; the next 06:00 UTC:
    assert notifier.items()[KEY]["due_at"] == 1_790_056_800


def test_what_is_critical_is_due_again_in_the_morning_once_it_is_mailed(
    notifier: NotifierWorld,
) -> None:
    notice = given_notice(disposition=Disposition.CANNOT_CONTAIN)
    count_calls(notifier.store(), [notice])
    store = notifier.store()
    incident = claim_mail(store, incident_key(notice))
    assert isinstance(incident, Incident)
    assert mark_mailed(store, incident) is Turn.NOTHING_DUE
    assert notifier.items()[incident.key]["due_at"] == 1_790_056_800


def cancelled(marker: str, incident: str) -> ClientError:
    reasons = [{"Code": marker}, {"Code": incident}]
    return aws_error(
        "TransactionCanceledException", "TransactWriteItems", CancellationReasons=reasons
    )


def fails(notifier: NotifierWorld, times: int, error: ClientError) -> None:
    """The wire answers so many calls with the error, then works."""
    typed = notifier.table.client.exceptions.from_code(error.response["Error"]["Code"])
    mapped = typed(error.response, error.operation_name)

    def before(number: int, name: str) -> None:
        if number < times:
            raise mapped

    notifier.wire.calls.clear()
    notifier.wire.before = before


AGAIN = [
    ("TransactionConflict", "None"),
    ("None", "TransactionConflict"),
    ("TransactionConflict", "TransactionConflict"),
    ("None", "ThrottlingError"),
    ("None", "ProvisionedThroughputExceeded"),
]


@pytest.mark.parametrize(("marker", "incident"), AGAIN)
def test_a_conflict_means_again_and_neither_duplicate_nor_counted(
    notifier: NotifierWorld, marker: str, incident: str
) -> None:
    fails(notifier, 2, cancelled(marker, incident))
    assert count_call(notifier.store(), given_notice()) is True
    assert notifier.items()[KEY]["calls"] == 1
    assert len(notifier.pauses) == 2
    assert all(0 < pause <= 0.02 * 2**n for n, pause in enumerate(notifier.pauses, start=1))


def test_a_conflict_without_end_is_raised_and_counts_nothing(notifier: NotifierWorld) -> None:
    fails(notifier, 1_000, cancelled("None", "TransactionConflict"))
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        count_call(notifier.store(), given_notice())
    assert notifier.wire.calls == ["transact"] * TRIES
    assert notifier.items() == {}


def test_a_duplicate_is_one_even_when_the_counter_is_contended(notifier: NotifierWorld) -> None:
    fails(notifier, 1, cancelled("ConditionalCheckFailed", "TransactionConflict"))
    assert count_call(notifier.store(), given_notice()) is False


@pytest.mark.parametrize("code", ["ValidationError", "ItemCollectionSizeLimitExceeded"])
def test_a_reason_without_answer_is_raised_at_once(notifier: NotifierWorld, code: str) -> None:
    fails(notifier, 1, cancelled("None", code))
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        count_call(notifier.store(), given_notice())
    assert notifier.wire.calls == ["transact"]


def test_a_claim_that_meets_a_transaction_is_tried_again(notifier: NotifierWorld) -> None:
    count_call(notifier.store(), given_notice())
    fails(notifier, 3, aws_error("TransactionConflictException", "UpdateItem"))
    assert claimed(notifier).milestone == 1
    assert notifier.wire.calls == ["update"] * 4
    notifier.now += LEASE_SECONDS + 1
    fails(notifier, 1_000, aws_error("TransactionConflictException", "UpdateItem"))
    with pytest.raises(ClientError, match="TransactionConflictException"):
        claim_mail(notifier.store(), KEY)


def test_who_loses_the_race_to_open_goes_on_with_the_winner(notifier: NotifierWorld) -> None:
    """Between the refused update and the refused opening somebody else opens the incident."""

    def before(number: int, name: str) -> None:
        if number == 1:
            notifier.wire.before = lambda number, name: None
            assert count_call(notifier.store(), given_notice("e-2")) is True

    notifier.wire.before = before
    assert count_call(notifier.store(), given_notice("e-1")) is True
    item = notifier.items()[KEY]
    assert item["calls"] == 2
    assert json.loads(item["first_facts"])["event_id"] == "e-2"
