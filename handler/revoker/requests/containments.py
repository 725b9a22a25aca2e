"""Find the principal that the responder means, and what is known of it. Changes nothing."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from handler.model.cloudtrail import arn_field
from handler.revoker.reconcile.unremovable import LEFT, left_rows
from handler.revoker.requests.refusals import ResponderRefusal
from handler.revoker.state.context import Tools
from handler.revoker.state.ledger import Baseline, LiveGroup, principal_key
from handler.revoker.state.marks import Contained, read_contained
from handler.revoker.state.table import Item

MARKS = ("contained", "sessions")


def find_principal(text: str, tools: Tools, *, unwritten: bool = False) -> Item:
    """The item of a user or role, by id, ARN or name; raises DeskRefusal where there is not one.

    By name as written down and as IAM has it now: names move, and an offender's may have. With
    `unwritten` also one of which nothing is written: the table may be older than a deny.
    """
    kind, name = _read_name(text)
    known = tools.table.read([principal_key(text)]).get(principal_key(text)) if text else None
    if known is not None and _has_marks(known):
        return known
    named = {f"principal#{id}": kind for kind, id in _ids_by_name(kind, name, tools)}
    found = [
        item
        for item in tools.table.items("principal#")
        if _has_marks(item)
        and (kind in ("", item.get("kind")))
        and (str(item.get("name", "")).casefold() == name.casefold() or item["pk"] in named)
    ]
    held = [item for item in found if _is_open(item)] or found
    if unwritten and not held:
        held = [{"pk": pk, "kind": kind, "name": name} for pk, kind in named.items()]
    match held:
        case []:
            raise ResponderRefusal("not-contained", f"Nothing is contained here as {text!r}.")
        case [item]:
            return item
    several = ", ".join(f"{i['pk']}".removeprefix("principal#") for i in held)
    raise ResponderRefusal(
        "ambiguous", f"Several were called {text!r}; give one of the ids: {several}."
    )


def find_user(text: str, baseline: Baseline, live: LiveGroup, tools: Tools) -> tuple[str, str]:
    """Id and name of a user, by id or name; raises DeskRefusal where there is none."""
    member = live.by_id(text) or live.by_name(text)
    if member is not None:
        return member.id, member.name
    try:
        user = tools.iam.get_user(UserName=text)["User"]
    except tools.iam.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchEntity", "ValidationError"):
            raise
    else:
        return str(user["UserId"]), str(user["UserName"])
    item = tools.table.read([principal_key(text)]).get(principal_key(text), {}) if text else {}
    name = str(item.get("name") or baseline.members.get(text, ""))
    if not name:
        raise ResponderRefusal("no-such-user", f"There is no user {text!r} in this account.")
    return text, name


def principal_row(item: Item) -> dict[str, Any]:
    """What is known of a principal, in JSON types; times are epoch seconds."""
    row: dict[str, Any] = {
        "id": principal_id_of(item),
        "kind": str(item.get("kind", "")),
        "name": str(item.get("name", "")),
    }
    for mark in MARKS:
        record = read_contained(item, mark)
        if record is not None:
            row[mark] = _record_row(record)
    if "tainted" in item:
        row["tainted"] = json.loads(str(item["tainted"]))
    row |= {key: item[key] for key in ("gone", "released") if key in item}
    missing = [mark for mark in MARKS if f"stripped-{mark}" in item]
    history = [json.loads(str(v)) for k, v in sorted(item.items()) if k.startswith("release#")]
    return row | {"stripped": missing, "left": left_rows(item), "releases": history}


def principal_id_of(item: Item) -> str:
    return str(item["pk"]).removeprefix("principal#")


def _record_row(record: Contained) -> dict[str, Any]:
    undo = [list(command) for command in record.undo]
    return asdict(record) | {
        "undo": undo,
        "gave": list(record.gave),
        "earlier": list(record.earlier),
    }


def _has_marks(item: Item) -> bool:
    return bool({*MARKS, "tainted", "released"} & item.keys())


def _is_open(item: Item) -> bool:
    return bool({*MARKS, "tainted", LEFT} & item.keys()) and "gone" not in item


def _read_name(text: str) -> tuple[str, str]:
    """Kind and name in an ARN; any kind where there is only a name."""
    resource = arn_field(text, 5)
    kind, _, path = resource.partition("/")
    if kind == "assumed-role":
        return "role", path.split("/")[0]
    return (kind, path.rsplit("/", 1)[-1]) if resource else ("", text)


def _ids_by_name(kind: str, name: str, tools: Tools) -> list[tuple[str, str]]:
    """The kind and id of each principal with this name today."""
    found = []
    if name and kind in ("", "user"):
        user = _id(lambda: tools.iam.get_user(UserName=name)["User"]["UserId"], tools)
        found.append(("user", user))
    if name and kind in ("", "role"):
        role = _id(lambda: tools.iam.get_role(RoleName=name)["Role"]["RoleId"], tools)
        found.append(("role", role))
    return [(kind, id) for kind, id in found if id]


def _id(ask: Any, tools: Tools) -> str:
    try:
        return str(ask())
    except tools.iam.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchEntity", "ValidationError"):
            return ""
        raise
