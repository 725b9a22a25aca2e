"""Calls that make and unmake administrators, as records, and who was one from the start."""

from __future__ import annotations

from typing import Any

from handler.model.reasons import Action, Reason, Verdict
from tests.doubles.account import NOON, World, a_user, call

ADMINISTRATORS = "Administrators"


def at(seconds: float) -> str:
    """CloudTrail's text for noon plus some seconds."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(NOON + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def adds(
    world: World, who: dict[str, Any], user: str, *, second: float, event: str, live: bool = True
) -> Any:
    """The record of an addition; `live`: IAM has carried it out."""
    if live:
        world.iam.groups[ADMINISTRATORS].members.add(user)
    return call(
        who,
        "AddUserToGroup",
        eventID=event,
        eventTime=at(second),
        requestParameters={"groupName": ADMINISTRATORS, "userName": user},
        responseElements=None,
    )


def removes(world: World, who: dict[str, Any], user: str, *, second: float, event: str) -> Any:
    world.iam.groups[ADMINISTRATORS].members.discard(user)
    return call(
        who,
        "RemoveUserFromGroup",
        eventID=event,
        eventTime=at(second),
        requestParameters={"groupName": ADMINISTRATORS, "userName": user},
        responseElements=None,
    )


def creates(who: dict[str, Any], *, second: float, event: str = "create") -> Any:
    return call(who, "CreateUser", eventID=event, eventTime=at(second))


def standing_admin(world: World) -> dict[str, Any]:
    return a_user("standing", world.iam.users["standing"].id, key="AKIASTANDING")


def ignored(verdict: Verdict) -> bool:
    return (verdict.action, verdict.reason) == (Action.IGNORE, Reason.ADMINISTRATOR_USER)
