"""Answer one call: read what is known, decide, contain, learn, tell. The thin place where we act.

Everything here may run any number of times for one event, and stop anywhere: what is done is done
again without harm, and what is not done is raised, so that Lambda tries again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from handler.model.cloudtrail import Call, Kind
from handler.model.principal import Rung
from handler.model.reasons import Action, Reason, Standing, Verdict
from handler.model.report import GainTold
from handler.revoker.deny.contain import (
    Containment,
)
from handler.revoker.impacts.model import Gain
from handler.revoker.judge.rules import decide, settled
from handler.revoker.remediate.outcomes import told
from handler.revoker.remediate.remediate import carry_out
from handler.revoker.remediate.scene import Scene
from handler.revoker.respond.contain_caller import contain_caller, take_back_try
from handler.revoker.respond.event_history import Deferred, prove, search_proof, wait_is_over
from handler.revoker.respond.find_impacts import gains_found
from handler.revoker.respond.ledger_updates import learn, learn_rename
from handler.revoker.respond.reporting import report_of
from handler.revoker.state.circuit_breaker import arm_breaker
from handler.revoker.state.context import Tools, account_alias, send
from handler.revoker.state.ledger import read_group
from handler.revoker.state.marks import (
    Contained,
)
from handler.revoker.state.standing import Known, look, standing_of


class ForeignEvent(Exception):
    """An event of another account: nothing that EventBridge could have sent here."""


@dataclass(frozen=True)
class _Done:
    """What was done about one call; `record` is what stands written of the containment."""

    containment: Containment | None = None
    record: Contained | None = None
    gains: tuple[GainTold, ...] = ()


_NOTHING_DONE = _Done()


def answer(call: Call, tools: Tools) -> Verdict:
    """Decide one call and act on it.

    Raises Deferred while a proof may still come, ForeignEvent, ReportRefused, and ClientError for
    whatever Lambda had better try again.
    """
    if call.account and call.account != tools.here.account:
        raise ForeignEvent(f"event of account {call.account} reached {tools.here.account}")
    early = settled(call, own_role_arn=tools.here.role_arn)
    if early is not None:
        if early.action is not Action.IGNORE:
            _tell(call, early, Standing(), tools)
        return early
    call = _identified(call, tools)
    known = look(
        call,
        table=tools.table,
        iam=lambda: tools.iam,
        settings=tools.settings,
        together=tools.together,
        met=tools.met,
        now=tools.now,
    )
    verdict, standing, known = _judge(call, known, tools)
    containment, record = contain_caller(call, verdict, standing, known, tools)
    take_back_try(call, verdict, standing, known, tools)
    arm_breaker(tools.table, known.breaker, tools.settings, now=tools.now)
    learn(call, verdict, known, tools)
    if verdict.action is Action.IGNORE:
        return verdict
    rung = containment.rung if containment else None
    gains = _gains(call, verdict, known, tools, rung)
    if verdict.reason is Reason.RELEASED and not gains:
        return verdict
    done = _Done(containment, record, gains)
    _tell(call, verdict, standing, tools, done)
    return verdict


def _identified(call: Call, tools: Tools) -> Call:
    """A user whose record lacks the id, with the id that the group lists under that name."""
    caller = call.caller
    if caller.kind is not Kind.USER or caller.id:
        return call
    member = read_group(tools.iam, tools.settings.admin_group).by_name(caller.name)
    return replace(call, caller=replace(caller, id=member.id)) if member else call


def _judge(call: Call, known: Known, tools: Tools) -> tuple[Verdict, Standing, Known]:
    """The verdict; for an unproven member after looking for the proof and waiting for it."""
    standing = standing_of(call, known, tools.settings, now=tools.now)
    verdict = decide(call, standing, tools.settings, own_role_arn=tools.here.role_arn)
    # An owner whose credential was stolen is contained altogether, unless she is an administrator.
    stolen = standing.unproven and verdict.reason is Reason.TAINTED_CREDENTIAL
    if verdict.action is not Action.DEFER and not stolen:
        return verdict, standing, known
    learn_rename(call, known, tools)
    known = search_proof(call, known, tools)
    standing = standing_of(call, known, tools.settings, now=tools.now)
    if standing.unproven and not stolen:
        standing = replace(standing, waited=wait_is_over(call, tools))
    verdict = decide(call, standing, tools.settings, own_role_arn=tools.here.role_arn)
    if verdict.action is Action.DEFER:
        raise Deferred(f"{call.caller.name} is in the group, and nothing proves yet by whom")
    return verdict, standing, known


def _gains(
    call: Call, verdict: Verdict, known: Known, tools: Tools, rung: Rung | None
) -> tuple[GainTold, ...]:
    """Find what the call changed, remediated where a containment would be carried out."""
    found = gains_found(call, tools)
    match verdict.action:
        case Action.CONTAIN | Action.CRITICAL if tools.settings.enforcing:
            return tuple(_remedy_all(found, call, verdict, known, tools, rung))
        case Action.REPORT if verdict.reason is Reason.RELEASED and tools.settings.enforcing:
            # With a stolen credential, before its owner's release: she is left alone, it is not.
            return tuple(_remedy_all(found, call, verdict, known, tools, rung))
        case Action.CONTAIN | Action.CRITICAL | Action.WOULD_CONTAIN:
            return tuple(told(gain, "", account=tools.here.account) for gain in found)
    return ()


def _remedy_all(
    found: tuple[Gain, ...],
    call: Call,
    verdict: Verdict,
    known: Known,
    tools: Tools,
    rung: Rung | None,
) -> list[GainTold]:
    if not found:
        return []
    scene = Scene(
        iam=tools.iam,
        table=tools.table,
        settings=tools.settings,
        account=tools.here.account,
        partition=tools.here.partition,
        baseline=known.baseline,
        live=known.live,
        now=tools.now,
        prove=lambda member: prove(member, tools),
        denied_by=rung,
    )
    # Root may name administrators: the account is root's.
    spared = verdict.reason is Reason.ROOT
    return [
        told(gain, "", account=tools.here.account)
        if spared and gain.group
        else carry_out(gain, call, scene)
        for gain in found
    ]


def _tell(
    call: Call,
    verdict: Verdict,
    standing: Standing,
    tools: Tools,
    done: _Done = _NOTHING_DONE,
) -> None:
    report = report_of(
        call=call,
        account=tools.here.account,
        verdict=verdict,
        standing=standing,
        containment=done.containment,
        record=done.record,
        gains=done.gains,
        settings=tools.settings,
        alias=account_alias(tools),
    )
    send(report, tools)
