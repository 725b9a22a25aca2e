"""Contain the caller of one call, and write down what was done. Shell; judges nobody.

A try may die between the deny and its record, and a proof may come before the next try: the mark
of the try tells that one what to take off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from handler.model.cloudtrail import Call, CallerKind
from handler.model.principal import Target
from handler.model.reasons import Action, Reason, Standing, Verdict
from handler.revoker.deny.contain import (
    Containment,
    contain,
    contain_sessions,
    current_name,
    take_all_off,
)
from handler.revoker.remediate.context import is_contained, sessions_are_denied
from handler.revoker.remediate.credentials import silence_used_key
from handler.revoker.respond.find_impacts import impacts_found
from handler.revoker.state.circuit_breaker import count_in_breaker
from handler.revoker.state.context import Tools, target_of
from handler.revoker.state.ledger import added_user, principal_key
from handler.revoker.state.marks import (
    TRYING,
    Contained,
    mark_contained,
    mark_tainted,
    mark_trying,
    read_contained,
)
from handler.revoker.state.standing import KnownFacts


def contain_caller(
    call: Call, verdict: Verdict, standing: Standing, known: KnownFacts, tools: Tools
) -> tuple[Containment | None, Contained | None]:
    """Put the deny on the caller, and write down what was done; that, and the record that stands.

    Raises ClientError for what Lambda had better try again.
    """
    if verdict.action is Action.COUNT:
        before = known.principal
        return None, read_contained(before) or read_contained(before, "sessions")
    if verdict.action is not Action.CONTAIN:
        return None, None
    target = target_of(
        tools, kind=call.caller.kind, name=call.caller.name, principal_id=call.caller.id
    )
    if verdict.reason is Reason.TAINTED_CREDENTIAL and standing.administrator:
        # The owner is an administrator, and its own credentials stay good.
        containment = _deny_sessions(call, target, known, tools)
        silence_used_key(call, containment.name, tools)
        return containment, _write_down(call, containment, verdict, known, tools, mark="sessions")
    containment = _deny(call, target, verdict, standing, known, tools)
    if containment.method is None and not containment.gone:
        mark_tainted(
            tools.table,
            principal_id=call.caller.id,
            kind=call.caller.kind,
            name=call.caller.name,
            call=call,
            now=tools.now,
        )
    record = _write_down(call, containment, verdict, known, tools, mark="contained")
    if not call.error_code and not (standing.tainted or standing.contained):
        count_in_breaker(
            tools.table, tools.iam, call.caller, known.breaker, tools.settings, now=tools.now
        )
    return containment, record


def _deny_sessions(call: Call, target: Target, known: KnownFacts, tools: Tools) -> Containment:
    def put_on() -> Containment:
        return contain_sessions(
            tools.iam, target, is_contained=lambda owner: sessions_are_denied(tools.table, owner)
        )

    if "sessions" in known.principal:
        return put_on()
    # A new password may still be reported: then the session was the owner's.
    return _marked(put_on, call, target, tools)


def _marked(
    put_on: Callable[[], Containment], call: Call, target: Target, tools: Tools
) -> Containment:
    """Put a deny on, and beside it the mark of the try: the deny waits for nothing."""
    done: Containment = tools.together(put_on, lambda: _mark(call, target, tools))[0]
    return done


def _mark(call: Call, target: Target, tools: Tools) -> None:
    mark_trying(tools.table, principal_id=target.id, call=call)


def _deny(
    call: Call,
    target: Target,
    verdict: Verdict,
    standing: Standing,
    known: KnownFacts,
    tools: Tools,
) -> Containment:
    """Put the deny on, with a mark of the try where the caller may prove an administrator."""

    def put_on() -> Containment:
        return contain(
            tools.iam,
            target,
            inline=tools.settings.inline_deny,
            is_contained=lambda owner: is_contained(tools.table, owner),
        )

    if target.kind is not CallerKind.USER or not target.id or "contained" in known.principal:
        return put_on()
    if standing.unproven or verdict.reason is Reason.TAINTED_CREDENTIAL:
        # The likely ones: nothing happens to them that is not marked before.
        _mark(call, target, tools)
        return put_on()
    # Of anybody the proof may come yet.
    return _marked(put_on, call, target, tools)


def undo_try(
    call: Call, verdict: Verdict, standing: Standing, known: KnownFacts, tools: Tools
) -> None:
    """Take off the deny of a try that died before it was written down, now that proof has come.

    Only of a try of this very call: another one's mark may say that a worker is still at it.
    """
    stolen = verdict.reason is Reason.TAINTED_CREDENTIAL
    held = "contained" in known.principal or (verdict.action is Action.CONTAIN and not stolen)
    if not (tools.settings.enforcing and standing.administrator) or held:
        return
    if known.principal.get(TRYING, call.event_id) != call.event_id:
        return
    # Without a mark, where the mark was what failed: such calls were an outsider's the last time.
    joined = added_user(call, group=tools.settings.admin_group).casefold()
    joins = joined != "" and joined == call.caller.name.casefold()
    if not (TRYING in known.principal or stolen or joins):
        return
    caller = call.caller
    target = target_of(tools, kind=caller.kind, name=caller.name, principal_id=caller.id)
    name = current_name(tools.iam, target)
    if name:
        # A try to deny its sessions left the same mark; it stays where they are to be denied.
        sessions = TRYING in known.principal and not stolen and "sessions" not in known.principal
        target = replace(target, name=name)
        take_all_off(tools.iam, target, inline=tools.settings.inline_deny, sessions=sessions)
    if TRYING in known.principal:
        tools.table.update(principal_key(caller.id), {}, remove=[TRYING])


def _write_down(
    call: Call,
    containment: Containment,
    verdict: Verdict,
    known: KnownFacts,
    tools: Tools,
    *,
    mark: str,
) -> Contained | None:
    """The record that stands afterwards: this one, or that of an earlier call or another worker."""
    if containment.method is None or not call.caller.id:
        return None
    written = mark_contained(
        tools.table,
        principal_id=call.caller.id,
        kind=call.caller.kind,
        containment=containment,
        call=call,
        reason=verdict.reason.value,
        now=tools.now,
        mark=mark,
        gave=tuple(impact.what for impact in impacts_found(call, tools)),
    )
    before = written or read_contained(known.principal, mark)
    key = principal_key(call.caller.id)
    return before or read_contained(tools.table.read([key]).get(key, {}), mark)
