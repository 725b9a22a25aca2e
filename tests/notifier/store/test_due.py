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
from tests.notifier.desk import START, Desk
from tests.notifier.store.test_incidents import KEY, count_call, given_notice


def test_many_are_claimed_and_marked_at_once_but_those_that_another_holds(desk: Desk) -> None:
    notices = [given_notice(f"e-{n}", principal_id=f"AIDA{n}") for n in range(150)]
    for notice in notices:
        count_call(desk.store(), notice)
        owe_mail(desk.store(), incident_key(notice))
    held = claim_mail(desk.store(), incident_key(notices[7]))
    assert isinstance(held, Incident)
    items = read_items(desk.store(), find_due(desk.store()))
    incidents = [read_incident(item) for item in items.values()] + [held]
    desk.wire.calls.clear()
    store = desk.store()
    mine = claim_all(store, incidents)
    assert {one.key for one in mine} == {incident_key(one) for one in notices} - {held.key}
    mark_all(store, mine)
    assert desk.wire.calls == ["transact"] * 5
    assert find_due(desk.store()) == {}


def test_a_digest_that_was_overtaken_leaves_the_next_mail_due(desk: Desk) -> None:
    count_call(desk.store(), given_notice())
    owe_mail(desk.store(), KEY)
    store = desk.store()
    mine = claim_all(store, [read_incident(one) for one in read_items(store, [KEY]).values()])
    for number in range(1, 120):
        count_call(desk.store(), given_notice(f"e-{number}"))
    mark_all(store, mine)
    assert desk.items()[KEY]["next_mail"] == 10
    assert find_due(desk.store()) == {KEY: START}
    mine = claim_all(store, [read_incident(one) for one in read_items(store, [KEY]).values()])
    mark_all(store, mine)
    assert desk.items()[KEY]["next_mail"] == 1_000


def test_many_given_back_are_due_at_once(desk: Desk) -> None:
    count_call(desk.store(), given_notice())
    owe_mail(desk.store(), KEY)
    store = desk.store()
    mine = claim_all(store, [read_incident(one) for one in read_items(store, [KEY]).values()])
    assert find_due(desk.store()) == {}
    give_back_all(store, mine)
    assert find_due(desk.store()) == {KEY: START}


def test_what_is_due_is_found_over_many_pages_the_longest_overdue_first(desk: Desk) -> None:
    for number in range(1_100):
        notice = given_notice(f"e-{number}", principal_id=f"AIDA{number}")
        count_calls(desk.store(), [notice])
        owe_mail(desk.store(), incident_key(notice))
        desk.now += 1 if number % 100 == 0 else 0
    desk.wire.calls.clear()
    found = find_due(desk.store())
    assert desk.wire.calls == ["scan"] * 2
    assert len(found) == 1_100
    assert list(found.values()) == sorted(found.values())


def test_of_two_that_move_what_is_due_one_has_it(desk: Desk) -> None:
    count_call(desk.store(), given_notice())
    owe_mail(desk.store(), KEY)
    due = find_due(desk.store())
    assert hold_due(desk.store(), due) == {KEY: START + 90}
    assert hold_due(desk.store(), due) == {}
    assert change_items(desk.store(), [move_change(KEY, seen=int(START), due_at=None)]) == []
