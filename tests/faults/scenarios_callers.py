"""Calls of offenders and administrators, by what can hold them and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tests.doubles.account import NOON, a_user, event
from tests.faults.client_faults import Fault
from tests.faults.member import Account
from tests.faults.member_cases import Scenario
from tests.faults.principals import (
    ADMINISTRATORS,
    FILLERS,
    ROOT,
    calls,
    fill_groups,
    free,
    held,
    installed,
    mallory_ends_held,
    offends,
    reported_not_revoked,
    role,
    user,
    written,
)

# ---- callers by what can hold them


def first_event_ever(account: Account) -> None:
    account.next_reconciliation = NOON + 600
    user(account, "mallory")


def ends_with_a_baseline(account: Account) -> Iterator[str]:
    yield from mallory_ends_held(account)
    if '"standing"' not in account.item("baseline").get("members", ""):
        yield "the baseline lacks who was there before"


def installed_for_a_user_at(account: Account, *, groups: bool) -> None:
    account.installed_and_heard_of()
    user(account, "mallory", attached=set(sorted(FILLERS)[:10]))
    if groups:
        fill_groups(account, "mallory")


def reported_as_not_contained(account: Account, name: str = "mallory") -> Iterator[str]:
    yield from free(account, name)
    yield from written(account, name, "tainted")
    if not reported_not_revoked(account):
        yield f"nobody is told that {name} is free"


def installed_for_a_role(account: Account, **facts: Any) -> None:
    account.installed_and_heard_of()
    role(account, "deployer", **facts)


def role_ends_held(account: Account) -> Iterator[str]:
    yield from held(account, "deployer")
    yield from written(account, "deployer", "contained")


def renamed_since(account: Account) -> None:
    offends(account)
    account.iam.users["colleague"] = account.iam.users.pop("mallory")
    # Somebody else has the name by now, and no offence.
    user(account, "mallory")


def the_right_one_ends_held(account: Account) -> Iterator[str]:
    yield from held(account, "colleague")
    yield from free(account, "mallory")


def reserved(account: Account) -> None:
    account.installed_and_heard_of()
    role(account, "AWSReservedSSO_Admin_0123456789abcdef", protected=True)


# ---- administrators, and who may be one


def hires(account: Account) -> None:
    """An administrator adds bob, who then makes a user of his own."""
    added = {"groupName": ADMINISTRATORS, "userName": "bob"}
    bob = user(account, "bob")
    account.iam.groups[ADMINISTRATORS].members.add("bob")
    calls(account, "standing", "AddUserToGroup", "addition", requestParameters=added)
    account.run(account.now + 200)
    at = {"eventTime": "2026-11-22T10:01:00Z"}
    account.post(a_user("bob", bob), "CreateUser", "bobs-own", **at)


def nobody_is_held(account: Account) -> Iterator[str]:
    yield from free(account, *account.iam.users)


def unproven(account: Account) -> None:
    """In the group, and nothing tells by whom."""
    account.installed_and_heard_of()
    user(account, "bob")
    account.iam.groups[ADMINISTRATORS].members.add("bob")


def proven(account: Account) -> None:
    """In the group, and the event of it was lost: the event history has it."""
    unproven(account)
    added = {"groupName": ADMINISTRATORS, "userName": "bob"}
    who = a_user("standing", account.iam.users["standing"].id)
    lost = event(
        who,
        "AddUserToGroup",
        eventID="lost",
        eventTime="2026-11-22T09:59:00Z",
        requestParameters=added,
    )
    account.trail.records.append(lost["detail"])


def proven_too_late(account: Account) -> None:
    """The third try contains; the event that would have proven her comes two minutes later."""
    offends(account, "bob")
    account.run(account.now + 300)
    added = {"groupName": ADMINISTRATORS, "userName": "bob"}
    before = {"eventTime": "2026-11-22T09:59:00Z"}
    calls(account, "standing", "AddUserToGroup", "late", requestParameters=added, **before)


def contained_and_reported_or_free(account: Account) -> Iterator[str]:
    """A try that died is taken back; one that was written down is the responder's to release."""
    if account.iam.holds("bob"):
        yield from written(account, "bob", "contained")


def bob_is_free_if_the_history_answers(account: Account) -> Iterator[str]:
    """No answer for three minutes is no proof: she is contained, which docs/limits.md says."""
    plan = account.wire.planned
    not_reporting = plan is not None and plan.lasting and plan.step.operation == "lookup_events"
    if not_reporting and plan is not None and plan.fault in (Fault.THROTTLED, Fault.REFUSED):
        yield from held(account, "bob")
    else:
        yield from nobody_is_held(account)


def removed_late(account: Account) -> None:
    """bob's call passes as an administrator's; his removal before it is heard of later."""
    user(account, "bob")
    account.iam.groups[ADMINISTRATORS].members.add("bob")
    account.installed_and_heard_of()
    at = {"eventTime": "2026-11-22T10:05:00Z"}
    account.now = NOON + 310
    calls(account, "bob", "DeleteGroup", "late", requestParameters={"groupName": "old"}, **at)
    account.run(account.now + 5)
    account.iam.groups[ADMINISTRATORS].members.discard("bob")


def removal(account: Account) -> None:
    taken = {"groupName": ADMINISTRATORS, "userName": "bob"}
    account.post(ROOT, "RemoveUserFromGroup", "removal", requestParameters=taken)


CALLERS = (
    Scenario("the first event ever", first_event_ever, offends, ends_with_a_baseline, known=False),
    Scenario("a user", installed, offends, mallory_ends_held),
    Scenario(
        "a user with as many policies as IAM allows",
        partial(installed_for_a_user_at, groups=False),
        offends,
        mallory_ends_held,
    ),
    Scenario(
        "a user whom only an inline policy holds",
        partial(installed_for_a_user_at, groups=True),
        offends,
        mallory_ends_held,
        variables={"INLINE_DENY": "allow"},
    ),
    Scenario(
        "a user whom nothing holds",
        partial(installed_for_a_user_at, groups=True),
        offends,
        reported_as_not_contained,
    ),
    Scenario("a user renamed since", installed, renamed_since, the_right_one_ends_held),
    Scenario("a role", installed_for_a_role, partial(offends, name="deployer"), role_ends_held),
    Scenario(
        "a role with as many policies as IAM allows",
        partial(installed_for_a_role, attached=FILLERS),
        partial(offends, name="deployer"),
        role_ends_held,
    ),
    Scenario(
        "a role whom only an inline policy holds",
        partial(installed_for_a_role, attached=FILLERS, boundary="arn:aws:iam::aws:policy/Own"),
        partial(offends, name="deployer"),
        role_ends_held,
        variables={"INLINE_DENY": "allow"},
    ),
    Scenario("an administrator and whom she adds", installed, hires, nobody_is_held, watch=240),
    Scenario(
        "a member of whom nothing is known",
        unproven,
        partial(offends, name="bob"),
        lambda account: held(account, "bob"),
    ),
    Scenario(
        "a member whom the event history proves",
        proven,
        partial(offends, name="bob"),
        bob_is_free_if_the_history_answers,
    ),
    Scenario(
        "a member proven too late",
        unproven,
        proven_too_late,
        contained_and_reported_or_free,
        perhaps=frozenset({"bob"}),
    ),
    Scenario("a removal heard of late", removed_late, removal, lambda a: held(a, "bob"), watch=800),
)
