"""Answer the responder: what is contained here, whom to release, the ledger.

Answers JSON; what cannot be done is `{"error": CODE, "says": sentence}` and is not raised, since
a person waits for it. No request is believed without proof (authenticate.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from handler.model.names import VERSION
from handler.revoker.reconcile.reconcile import baseline_and_group
from handler.revoker.reconcile.unremovable import LEFT
from handler.revoker.requests.authenticate import AskSts, ask_sts, responder_caller
from handler.revoker.requests.containments import find_principal, find_user, principal_row
from handler.revoker.requests.refusals import ResponderRefusal
from handler.revoker.requests.release import release
from handler.revoker.respond.self_test import read_self_test, start_self_test
from handler.revoker.state.context import Tools
from handler.revoker.state.ledger import RESPONDER_EVENT, principal_key
from handler.revoker.state.ledger_view import entry_row, ledger_differences, ledger_entries
from handler.revoker.state.table import Value

# An answer of a function has 6 MB at most.
ROWS = 2_000


def responder(request: Mapping[str, Any], tools: Tools, ask: AskSts = ask_sts) -> dict[str, Any]:
    """Do what the responder asks for."""
    by = responder_caller(request, tools, ask)
    if not by:
        return _refused(
            "not-the-responder", "Only the responder role of the central account may ask."
        )
    try:
        answered = _answer(request, by, tools)
    except ResponderRefusal as refusal:
        return _refused(refusal.code, str(refusal))
    except tools.iam.exceptions.ClientError as error:
        code = str(error.response["Error"]["Code"])
        return _refused(code, f"AWS refused {error.operation_name}: {code}.")
    return {"account": tools.here.account, "mode": tools.settings.mode.value, **answered}


def _answer(request: Mapping[str, Any], by: str, tools: Tools) -> dict[str, Any]:
    match request.get("responder"):
        case "list":
            return _list(tools)
        case "show":
            return {"principal": principal_row(find_principal(_said(request, "principal"), tools))}
        case "release":
            return _release(request, by, tools)
        case "self_test":
            return _run_self_test(_said(request, "nonce"), tools)
        case "ledger":
            return _ledger(tools)
        case "confirm":
            return _confirm(request, by, tools)
    raise ResponderRefusal(
        "unknown-request", f"Version {VERSION} of the revoker does not know this request."
    )


def _list(tools: Tools) -> dict[str, Any]:
    rows = [
        principal_row(item)
        for item in tools.table.items("principal#")
        if {"contained", "sessions", "tainted", LEFT} & item.keys()
    ]
    return {"principals": rows[:ROWS], "more": max(len(rows) - ROWS, 0)}


def _release(request: Mapping[str, Any], by: str, tools: Tools) -> dict[str, Any]:
    reason = _said(request, "reason").strip()
    dry = request.get("dry") is not False
    if not reason and not dry:
        raise ResponderRefusal("no-reason", "A release needs a reason.")
    return release(
        find_principal(_said(request, "principal"), tools, unwritten=True),
        reason=reason,
        by=by,
        enable_keys=request.get("keys") == "enable",
        dry=dry,
        tools=tools,
    )


def _run_self_test(nonce: str, tools: Tools) -> dict[str, Any]:
    """Start a self-test, or say how far the one with this nonce is."""
    test_run = read_self_test(tools.table) if nonce else start_self_test(tools)
    if test_run is None or (nonce and test_run.nonce != nonce):
        raise ResponderRefusal("no-such-self-test", "Another self-test was started since.")
    return {"self_test": {key: value for key, value in asdict(test_run).items() if key != "last"}}


def _ledger(tools: Tools) -> dict[str, Any]:
    baseline, live = baseline_and_group(tools)
    entries = ledger_entries(tools.table.items("principal#"), baseline)
    group = tools.settings.admin_group
    known = {entry.id for entry in entries}
    return {
        "group": group,
        "missing": live.missing,
        "baseline": baseline.taken,
        "entries": [entry_row(entry, live) for entry in entries][:ROWS],
        "unknown": [
            {"id": member.id, "name": member.name}
            for member in live.members
            if member.id not in known
        ],
        "differences": list(ledger_differences(entries, live, baseline, group=group)),
    }


def _confirm(request: Mapping[str, Any], by: str, tools: Tools) -> dict[str, Any]:
    """Write into the ledger what a person vouches for, with who and why."""
    member, reason = request.get("member"), _said(request, "reason").strip()
    if not isinstance(member, bool) or not reason:
        raise ResponderRefusal("no-reason", "Say whether the user is an administrator, and why.")
    baseline, live = baseline_and_group(tools)
    principal_id, name = find_user(_said(request, "user"), baseline, live, tools)
    event = f"{RESPONDER_EVENT}{tools.now:.3f}"
    verb = "an administrator" if member else "no administrator"
    facts: dict[str, Value] = {
        "kind": "user",
        "name": name,
        f"{'add#' if member else 'del#'}{event}": tools.now,
        f"said#{event}": f"{verb}, says {by}: {reason}",
    }
    tools.table.update(principal_key(principal_id), facts)
    return {
        "user": {"id": principal_id, "name": name},
        "administrator": member,
        "in_group": live.by_id(principal_id) is not None,
        "since": tools.now,
    }


def _refused(code: str, says: str) -> dict[str, Any]:
    return {"error": code, "says": says}


def _said(request: Mapping[str, Any], key: str) -> str:
    value = request.get(key)
    return value if isinstance(value, str) else ""
