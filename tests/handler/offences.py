"""What an offender makes or touches, as records."""

from __future__ import annotations

from typing import Any

from tests.doubles.account import World, a_user, call
from tests.handler.memberships import at


def mallory(world: World) -> dict[str, Any]:
    if "mallory" not in world.iam.users:
        world.iam.add_user("mallory")
    return a_user("mallory", world.iam.users["mallory"].id, key="AKIAMALLORY")


def makes_user(world: World, who: dict[str, Any], name: str, *, event: str = "make") -> Any:
    id = world.iam.add_user(name)
    return call(
        who,
        "CreateUser",
        eventID=event,
        requestParameters={"userName": name},
        responseElements={"user": {"userName": name, "userId": id}},
    )


def makes_key(
    world: World, who: dict[str, Any], user: str, *, key: str = "AKIANEWKEY", event: str = "key"
) -> Any:
    world.iam.users[user].keys[key] = "Active"
    return call(
        who,
        "CreateAccessKey",
        eventID=event,
        requestParameters={"userName": user},
        responseElements={"accessKey": {"accessKeyId": key, "userName": user}},
    )


def resets_password(who: dict[str, Any], user: str, *, second: float = 0, event: str = "pw") -> Any:
    return call(
        who,
        "UpdateLoginProfile",
        eventID=event,
        eventTime=at(second),
        requestParameters={"userName": user, "passwordResetRequired": False},
        responseElements=None,
    )


def calls_from_console(
    user: dict[str, Any], *, began: float, second: float, event: str = "session"
) -> Any:
    """A call by a session that a password began."""
    who = console(user, began=began)
    return call(who, eventID=event, eventTime=at(second), sessionCredentialFromConsole="true")


def console(user: dict[str, Any], *, began: float) -> dict[str, Any]:
    return user | {
        "accessKeyId": "ASIACONSOLE",
        "sessionContext": {"attributes": {"creationDate": at(began)}},
    }
