"""Reconciliation and responder: denies repaired, letters tried again, self-test, release."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from handler.model.deny_policy import deny_document
from handler.model.names import CANARY_ROLE, KEPT_GROUP, KEPT_POLICY, kept_arn
from tests.doubles.account import NOON, a_user, event
from tests.doubles.iam import ACCOUNT, DENY_ARN, Group
from tests.faults.member import Account
from tests.faults.member_cases import Scenario
from tests.faults.principals import (
    FILLERS,
    fill_groups,
    free,
    held,
    installed,
    mallory_ends_held,
    offends,
    role,
    user,
)
from tests.faults.scenarios_impacts import (
    gives_key,
    installed_with_a_full_administrator,
    sets_a_password,
)

KEPT = kept_arn(partition="aws", account=ACCOUNT, kind="policy", name=KEPT_POLICY)
TEST_SECONDS = 4 * 3_600.0
# The next reconciliation, and the tries of one that fails.
ONE_ROUND = 900.0 + 240.0


def nothing(account: Account) -> None:
    """Only reconciliation comes."""


def stripped(account: Account) -> None:
    installed(account)
    offends(account)
    account.run(account.now + 200)
    account.iam.users["mallory"].attached.clear()


def letters(account: Account) -> None:
    """An event of Lambda, one of EventBridge, a tamper event, and a failed reconciliation."""
    installed(account)
    user(account, "eve")
    for name, wrapped in (("mallory", True), ("eve", False)):
        who = a_user(name, account.iam.users[name].id)
        lost = event(who, "DeleteGroup", eventID=f"lost-{name}", requestParameters=None)
        record = {"requestPayload": lost}
        account.queue.put(record if wrapped else lost, rule="" if wrapped else "iam-org-revoker")
    who = a_user("trudy", "AIDAEXAMPLETRUDY")
    touched = {"name": "iam-org-revoker-calls"}
    tampered = event(who, "DisableRule", eventID="tampered", requestParameters=touched)
    tampered["detail"]["eventSource"] = "events.amazonaws.com"
    account.queue.put(tampered, rule="iam-org-revoker-tamper")
    account.queue.put({"requestPayload": {"reconcile": True}})


def letters_are_answered(account: Account) -> Iterator[str]:
    yield from held(account, "mallory", "eve")


def kept(account: Account) -> None:
    """An earlier installation left a user, a role and a group's member under a kept deny."""
    installed(account)
    account.iam.documents[KEPT] = deny_document()
    account.iam.groups[KEPT_GROUP] = Group(attached={KEPT}, members={"eve"})
    user(account, "mallory", attached={KEPT})
    user(account, "eve")
    role(account, "deployer", attached={KEPT})


def kept_are_contained(account: Account) -> Iterator[str]:
    yield from held(account, "mallory", "eve", "deployer")


def new_account(account: Account) -> None:
    """Installed a minute ago: baseline, self-test and first heartbeat are yet to come."""
    account.next_reconciliation = NOON + 60


def self_test_is_well(account: Account) -> Iterator[str]:
    """At the latest the one after the next: what failed is tried again within the hour."""
    while account.now < NOON + TEST_SECONDS and not _test_went_well(account):
        account.run(account.next_reconciliation + 240)
    item = account.item("self_test")
    if not item.get("arrived") or not item.get("denied"):
        yield f"the self-test is not done: {item}"
    if DENY_ARN in account.iam.roles[CANARY_ROLE].attached:
        yield "the deny stays on the canary"
    if not _test_went_well(account):
        yield "the last heartbeat says nothing of a self-test that went well"


def _test_went_well(account: Account) -> bool:
    beats = account.heartbeats()
    return bool(beats) and beats[-1].self_test.ok and beats[-1].self_test.event_seconds > 0


# ---- the responder


def contained_before(account: Account, name: str, prepare: Callable[[Account], None]) -> None:
    account.installed_and_heard_of()
    prepare(account)
    offends(account, name)
    account.run(account.now + 200)


def release(account: Account, name: str, **more: object) -> None:
    account.ask("release", principal=name, reason="meant it", dry=False, **more)


def is_free(account: Account, name: str) -> Iterator[str]:
    found = account.iam.users.get(name) or account.iam.roles[name]
    if not _left(account):
        yield from free(account, name)
        if account.iam.sessions_denied(name):
            yield f"the sessions of {name} end denied"
    item = account.item(f"principal#{found.id}")
    marks = {"contained", "sessions", "tainted", "releasing", "trying"}
    if "released" not in item or marks & item.keys():
        yield f"{name} is not written down as released: {sorted(item)}"
    if sum(key.startswith("release#") for key in item) != 1:
        yield f"{name} was released more than once"


def _left(account: Account) -> bool:
    """Whether the responder was told of something that the revoker may not undo."""
    steps = [step for answer in account.answers for step in answer.get("steps", [])]
    keys = [key for answer in account.answers for key in answer.get("keys", [])]
    return any(one["left"] for one in [*steps, *keys])


def a_user_with(account: Account, *, policies: bool = False, groups: bool = False) -> None:
    user(account, "mallory", attached=set(sorted(FILLERS)[:10]) if policies else set())
    if groups:
        fill_groups(account, "mallory")


def a_full_role(account: Account, **facts: object) -> None:
    role(account, "deployer", **facts)


def taken_key(account: Account) -> None:
    """standing's key, which mallory made, is set inactive; mallory is released with it."""
    installed(account)
    gives_key(account, "mallory")
    account.run(account.now + 200)


def key_is_active_again(account: Account) -> Iterator[str]:
    yield from is_free(account, "mallory")
    if not _left(account) and "Inactive" in account.iam.users["mallory"].keys.values():
        yield "the key ends inactive"


def denied_sessions(account: Account) -> None:
    """standing's, in the group: her policies are as many as IAM allows."""
    installed_with_a_full_administrator(account)
    sets_a_password(account)
    account.run(account.now + 200)


def looks(account: Account) -> None:
    """Everything that the responder asks without changing anything, and one entry confirmed."""
    for what in ("list", "ledger"):
        account.ask(what)
    account.ask("show", principal="mallory")
    account.ask("confirm", user="mallory", member=False, reason="no longer with us")
    account.ask("self_test", nonce="")


def all_is_answered(account: Account) -> Iterator[str]:
    if len(account.answers) != 5:
        yield f"{len(account.answers)} answers for 5 requests"
    yield from mallory_ends_held(account)


def _release_of(
    says: str, name: str, prepare: Callable[[Account], None], **variables: str
) -> Scenario:
    return Scenario(
        f"the release of {says}",
        partial(contained_before, name=name, prepare=prepare),
        partial(release, name=name),
        partial(is_free, name=name),
        variables=variables,
    )


ROUNDS = (
    Scenario("a deny that was stripped", stripped, nothing, mallory_ends_held, watch=ONE_ROUND),
    Scenario("four dead letters", letters, nothing, letters_are_answered, watch=ONE_ROUND),
    Scenario("kept over an earlier end", kept, nothing, kept_are_contained, watch=ONE_ROUND),
    Scenario("a new account's self-test", new_account, nothing, self_test_is_well, known=False),
    _release_of("a user", "mallory", a_user_with),
    _release_of("a user in the deny group", "mallory", partial(a_user_with, policies=True)),
    _release_of(
        "a user under an inline policy",
        "mallory",
        partial(a_user_with, policies=True, groups=True),
        INLINE_DENY="allow",
    ),
    _release_of("a role", "deployer", a_full_role),
    _release_of(
        "a role under an inline policy",
        "deployer",
        partial(a_full_role, attached=FILLERS, boundary="arn:aws:iam::aws:policy/Own"),
        INLINE_DENY="allow",
    ),
    Scenario(
        "a release that switches a key on again",
        taken_key,
        partial(release, name="mallory", keys="enable"),
        key_is_active_again,
    ),
    Scenario(
        "the release of an administrator in the group of denied sessions",
        denied_sessions,
        partial(release, name="standing"),
        partial(is_free, name="standing"),
    ),
    Scenario(
        "what the responder looks at",
        partial(contained_before, name="mallory", prepare=a_user_with),
        looks,
        all_is_answered,
    ),
)
