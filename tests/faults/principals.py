"""Who is in a member account under faults, what they call, and how they must end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.doubles.account import a_session, a_user
from tests.doubles.iam import ACCOUNT, Group
from tests.faults.member import Account

FILLERS = {f"arn:aws:iam::aws:policy/Filler{number}" for number in range(20)}
ROOT = {
    "type": "Root",
    "accountId": ACCOUNT,
    "principalId": ACCOUNT,
    "arn": f"arn:aws:iam::{ACCOUNT}:root",
}
ADMINISTRATORS = "Administrators"


def user(account: Account, name: str, **facts: Any) -> str:
    id = account.iam.add_user(name)
    for fact, value in facts.items():
        setattr(account.iam.users[name], fact, value)
    return id


def role(account: Account, name: str, **facts: Any) -> str:
    return account.iam.add_role(name, path="/team/", **facts)


def calls(account: Account, name: str, call: str, id: str = "offence", **detail: Any) -> None:
    """A call of that user's or role's."""
    if name in account.iam.users:
        who = a_user(name, account.iam.users[name].id)
    else:
        who = a_session(name, account.iam.roles[name].id)
    account.post(who, call, id, **{"responseElements": None} | detail)


def offends(account: Account, name: str = "mallory") -> None:
    """A call that gives nothing to anybody."""
    calls(account, name, "DeleteGroup", requestParameters={"groupName": "old"})


def fill_groups(account: Account, name: str) -> None:
    for number in range(10):
        account.iam.groups[f"team-{number}"] = Group(members={name})


def held(account: Account, *names: str) -> Iterator[str]:
    for name in names:
        if not account.iam.holds(name):
            yield f"{name} ends free"


def free(account: Account, *names: str) -> Iterator[str]:
    for name in names:
        if account.iam.holds(name):
            yield f"{name} ends contained"


def written(account: Account, name: str, *marks: str) -> Iterator[str]:
    found = account.iam.users.get(name) or account.iam.roles[name]
    item = account.item(f"principal#{found.id}")
    for mark in marks:
        if mark not in item:
            yield f"{mark} of {name} is not written down"


def installed(account: Account) -> None:
    account.installed_and_heard_of()
    user(account, "mallory")


def mallory_ends_held(account: Account) -> Iterator[str]:
    yield from held(account, "mallory")
    yield from written(account, "mallory", "contained")


def reported_not_done(account: Account) -> bool:
    """Whether a mail says of something that IAM refused it: for people to do by hand."""
    return any(
        impact["done"].startswith("NOT") and impact["critical"]
        for mail in account.central.topic.mails
        for entry in mail.form["incidents"]
        for impact in entry.get("impacts", [])
    )


def reported_not_revoked(account: Account) -> bool:
    """Whether a critical mail says that somebody could not be contained."""
    return any("[CRITICAL: not contained]" in mail.subject for mail in account.central.topic.mails)
