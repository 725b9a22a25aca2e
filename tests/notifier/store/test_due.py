"""Many incidents claimed and marked at once; what is due is found, whatever its number."""

from __future__ import annotations

from handler.notifier.messages.notice import Incident, incident_key
from handler.notifier.store.due import (
    claim_all,
    find_due,
    give_back_all,
    hold_due,
    mark_all,
    move_change,
)
from handler.notifier.store.incidents import claim_mail, count_calls, owe_mail, read_incident
from handler.notifier.store.table import change_items, read_items
from tests.notifier.central import START, NotifierWorld
from tests.notifier.store.test_incidents import KEY, count_call, given_notice


def test_many_are_claimed_and_marked_at_once_but_those_that_another_holds(
    notifier: NotifierWorld,
) -> None:
    notices = [given_notice(f"e-{n}", principal_id=f"AIDA{n}") for n in range(150)]
    for notice in notices:
        count_call(notifier.store(), notice)
        owe_mail(notifier.store(), incident_key(notice))
    held = claim_mail(notifier.store(), incident_key(notices[7]))
    assert isinstance(held, Incident)
    items = read_items(notifier.store(), find_due(notifier.store()))
    incidents = [read_incident(item) for item in items.values()] + [held]
    notifier.wire.calls.clear()
    store = notifier.store()
    mine = claim_all(store, incidents)
    assert {one.key for one in mine} == {incident_key(one) for one in notices} - {held.key}
    mark_all(store, mine)
    assert notifier.wire.calls == ["transact"] * 5
    assert find_due(notifier.store()) == {}


def test_a_digest_that_was_overtaken_leaves_the_next_mail_due(notifier: NotifierWorld) -> None:
    count_call(notifier.store(), given_notice())
    owe_mail(notifier.store(), KEY)
    store = notifier.store()
    mine = claim_all(store, [read_incident(one) for one in read_items(store, [KEY]).values()])
    for number in range(1, 120):
        count_call(notifier.store(), given_notice(f"e-{number}"))
    mark_all(store, mine)
    assert notifier.items()[KEY]["next_mail"] == 10
    assert find_due(notifier.store()) == {KEY: START}
    mine = claim_all(store, [read_incident(one) for one in read_items(store, [KEY]).values()])
    mark_all(store, mine)
    assert notifier.items()[KEY]["next_mail"] == 1_000


def test_many_given_back_are_due_at_once(notifier: NotifierWorld) -> None:
    count_call(notifier.store(), given_notice())
    owe_mail(notifier.store(), KEY)
    store = notifier.store()
    mine = claim_all(store, [read_incident(one) for one in read_items(store, [KEY]).values()])
    assert find_due(notifier.store()) == {}
    give_back_all(store, mine)
    assert find_due(notifier.store()) == {KEY: START}


def test_what_is_due_is_found_over_many_pages_the_longest_overdue_first(
    notifier: NotifierWorld,
) -> None:
    for number in range(1_100):
        notice = given_notice(f"e-{number}", principal_id=f"AIDA{number}")
        count_calls(notifier.store(), [notice])
        owe_mail(notifier.store(), incident_key(notice))
        notifier.now += 1 if number % 100 == 0 else 0
    notifier.wire.calls.clear()
    found = find_due(notifier.store())
    assert notifier.wire.calls == ["scan"] * 2
    assert len(found) == 1_100
    assert list(found.values()) == sorted(found.values())


def test_of_two_that_move_what_is_due_one_has_it(notifier: NotifierWorld) -> None:
    count_call(notifier.store(), given_notice())
    owe_mail(notifier.store(), KEY)
    due = find_due(notifier.store())
    assert hold_due(notifier.store(), due) == {KEY: START + 90}
    assert hold_due(notifier.store(), due) == {}
    assert change_items(notifier.store(), [move_change(KEY, seen=int(START), due_at=None)]) == []
