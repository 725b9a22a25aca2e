"""Release a principal: undo what the records say, and nothing else. Shell; may be repeated.

The plan is a value and the dry run ends with it. While the deny is taken off, `releasing` keeps the
reconciliation from putting it back. What only an administrator may undo comes back as a command.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from handler.model.cloudtrail import CallerKind
from handler.model.names import KEPT_GROUP, KEPT_SESSION_GROUP
from handler.model.principal import Target
from handler.revoker.deny.contain import current_name, take_off
from handler.revoker.deny.methods import MethodCalls, boundary_of
from handler.revoker.reconcile.kept_denies import kept_denies
from handler.revoker.reconcile.repair_reports import KEPT_REASON
from handler.revoker.reconcile.unremovable import LEFT, is_there, left_mark, method_calls_of
from handler.revoker.requests.containments import MARKS, principal_id_of
from handler.revoker.requests.refusals import ResponderRefusal
from handler.revoker.state.context import Tools, target_of
from handler.revoker.state.marks import TRYING, Contained, read_contained, vouch_for_key
from handler.revoker.state.table import Item, Value

# What IAM says when the revoker may not: observing, or under a policy of the owner's.
NOT_OURS = ("AccessDenied", "UnmodifiableEntity")


@dataclass(frozen=True)
class Undo:
    """One thing to undo. `recorded`: by the records; `there`: still on; `ours`: we may undo it."""

    step: MethodCalls
    recorded: bool
    there: bool
    ours: bool


def release(
    item: Item, *, reason: str, by: str, enable_keys: bool, dry: bool, tools: Tools
) -> dict[str, Any]:
    """Plan the release of a principal and, unless `dry`, carry it out.

    Raises DeskRefusal for one who was deleted since, and ClientError for another try.
    """
    principal_id, kind = principal_id_of(item), CallerKind(str(item["kind"]))
    written = target_of(tools, kind=kind, name=str(item["name"]), principal_id=principal_id)
    name = current_name(tools.iam, written)
    if not name:
        _forget(item, tools)
        raise ResponderRefusal(
            "deleted", f"{kind.value} {written.name!r} ({principal_id}) was deleted since."
        )
    target = replace(written, name=name)
    records = {mark: record for mark in MARKS if (record := read_contained(item, mark))}
    plan = list(_plan(records, target, tools))
    keys = _silenced(item, name, tools)
    answered = {
        "principal": {"id": principal_id, "kind": kind.value, "name": name},
        "tainted": "tainted" in item,
        "released": item.get("released", 0.0),
        "keys": [{"id": key, "enable": enable_keys, "left": ""} for key in keys],
        "sessions_stay_bad": any(mark.startswith("pwbad#") for mark in item),
    }
    # A deny of ours without a record: the table is older than it.
    on = [undo for undo in plan if undo.there]
    held = records or "tainted" in item or "releasing" in item or any(undo.ours for undo in on)
    if not held and not (enable_keys and keys):
        if "released" in item:
            # What is still on is others' to take off, and is said each time.
            steps = [_step_row(undo, target, _take_off(undo, target, tools)) for undo in on]
            return answered | {"steps": steps, "done": True, "already": True}
        if not on:
            says = f"Nothing is contained here as {item['name']!r}."
            raise ResponderRefusal("not-contained", says)
    adopted = any(record.reason == KEPT_REASON for record in records.values())
    beside = list(_kept_rows(target, tools)) if adopted else []
    if dry:
        steps = [_step_row(undo, target, "") for undo in plan]
        planned = [row | {"left": ""} for row in beside]
        return answered | {"steps": steps + planned, "done": False}
    tools.table.update(str(item["pk"]), {"releasing": tools.now})
    left = [_take_off(undo, target, tools) for undo in plan]
    if enable_keys:
        answered["keys"] = [
            {"id": one, "enable": True, "left": _enable(one, name, tools)} for one in keys
        ]
    said = {"at": tools.now, "by": by, "reason": reason, "enabled": keys if enable_keys else []}
    steps = [_step_row(undo, target, why) for undo, why in zip(plan, left, strict=True)]
    _close(item, said, steps, tools)
    return answered | {"steps": steps + beside, "done": True, "released": tools.now}


def _plan(records: dict[str, Contained], target: Target, tools: Tools) -> Iterator[Undo]:
    """Return the deny methods that the records name, then any other that carries our deny."""
    named = [method for r in records.values() for method in (*r.earlier, r.method)]
    for step in method_calls_of(target.kind):
        recorded = step.method.value in named
        there = is_there(step, target, tools)
        if recorded or there:
            yield Undo(
                step=step, recorded=recorded, there=there, ours=there and step.undo is not None
            )


def _take_off(undo: Undo, target: Target, tools: Tools) -> str:
    """Empty when it is off now, else why it is not."""
    if not undo.there:
        return ""
    try:
        return take_off(tools.iam, target, undo.step.method)
    except tools.iam.exceptions.ClientError as error:
        return _refusal(error)


def _refusal(error: Any) -> str:
    """What AWS refused for good, as words; everything else is raised for another try."""
    code = str(error.response["Error"]["Code"])
    if code == "NoSuchEntity":
        return "deleted since"
    if code in NOT_OURS:
        return f"the revoker may not ({code})"
    raise error


def _step_row(undo: Undo, target: Target, left: str) -> dict[str, Any]:
    return {
        "method": undo.step.method.value,
        "command": list(undo.step.command(target)),
        "recorded": undo.recorded,
        "there": undo.there,
        "by_administrator": undo.there and not undo.ours,
        "left": left,
    }


def _kept_rows(target: Target, tools: Tools) -> Iterator[dict[str, Any]]:
    """Return what an earlier installation left on the principal: it denies after the release,
    and the revoker may not take it off."""
    kind = target.kind.value
    named = f"--{kind}-name={target.name}"
    for _, arn in kept_denies(tools):
        if target.kind is CallerKind.USER:
            answer = tools.iam.list_attached_user_policies(UserName=target.name)
        else:
            answer = tools.iam.list_attached_role_policies(RoleName=target.name)
        if any(policy["PolicyArn"] == arn for policy in answer["AttachedPolicies"]):
            yield _kept_row(f"detach-{kind}-policy", named, f"--policy-arn={arn}")
    if target.kind is CallerKind.USER:
        groups = tools.iam.list_groups_for_user(UserName=target.name)["Groups"]
        for name in sorted({KEPT_GROUP, KEPT_SESSION_GROUP} & {one["GroupName"] for one in groups}):
            yield _kept_row("remove-user-from-group", named, f"--group-name={name}")
    elif boundary_of(tools.iam, target.name) == target.kept_deny_arn:
        yield _kept_row("delete-role-permissions-boundary", named)


def _kept_row(*command: str) -> dict[str, Any]:
    typed = ["aws", "iam", *command]
    return {
        "method": KEPT_REASON,
        "command": typed,
        "recorded": True,
        "there": True,
        "by_administrator": True,
        "left": f"only an administrator may: {' '.join(typed)}",
    }


def _close(item: Item, said: dict[str, Any], steps: list[dict[str, Any]], tools: Tools) -> None:
    """Clear the marks, and keep what they said as history; from now on calls before now pass."""
    still = left_mark(steps)
    kept = {mark: item[mark] for mark in (*MARKS, "tainted") if mark in item}
    values: dict[str, Value] = {
        "released": tools.now,
        f"release#{tools.now:.3f}": json.dumps(said | {"was": kept}),
        **still,
    }
    gone = [*kept, *(f"stripped-{mark}" for mark in MARKS), "releasing", "gone", TRYING]
    gone += [] if still else [LEFT]
    tools.table.update(str(item["pk"]), values, remove=gone)


def _forget(item: Item, tools: Tools) -> None:
    if "gone" not in item:
        tools.table.update(str(item["pk"]), {"gone": tools.now})


def _silenced(item: Item, name: str, tools: Tools) -> list[str]:
    """Access keys of this user that an offender made or switched on, and that we set inactive.

    By the prefix of the id: IAM User Guide, "IAM identifiers".
    """
    owners = {str(item.get("name", "")).casefold(), name.casefold()}
    return [
        key
        for credential in tools.table.items("credential#")
        if "tainted" in credential
        and str(credential.get("owner", "")).casefold() in owners
        and (key := str(credential["pk"]).removeprefix("credential#")).startswith("AKIA")
    ]


def _enable(key: str, name: str, tools: Tools) -> str:
    """Switch a key on again and drop its taint: the responder vouches for it. Empty, or why not."""
    try:
        tools.iam.update_access_key(UserName=name, AccessKeyId=key, Status="Active")
    except tools.iam.exceptions.ClientError as error:
        return _refusal(error)
    vouch_for_key(tools.table, key, now=tools.now)
    return ""
