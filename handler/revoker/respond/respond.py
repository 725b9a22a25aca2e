"""Answer one call: read what is known, decide, contain, learn, tell. The thin place where we act.

Everything here may run any number of times for one event, and stop anywhere: what is done is done
again without harm, and what is not done is raised, so that Lambda tries again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from handler.model.cloudtrail import Call, CallerKind
from handler.model.principal import DenyMethod
from handler.model.reasons import Action, Reason, Standing, Verdict
from handler.model.report import ReportedImpact
from handler.revoker.deny.contain import (
    Containment,
)
from handler.revoker.impacts.model import Impact
from handler.revoker.judge.rules import decide, settled
from handler.revoker.remediate.context import Scene
from handler.revoker.remediate.outcomes import reported
from handler.revoker.remediate.remediate import carry_out
from handler.revoker.respond.contain_caller import contain_caller, undo_try
from handler.revoker.respond.event_history import Deferred, prove, search_proof, wait_is_over
from handler.revoker.respond.find_impacts import impacts_found
from handler.revoker.respond.ledger_updates import learn, learn_rename
from handler.revoker.respond.reporting import report_of
from handler.revoker.state.circuit_breaker import arm_breaker
from handler.revoker.state.context import Tools, account_alias, send
from handler.revoker.state.ledger import read_group
from handler.revoker.state.marks import (
    Contained,
)
from handler.revoker.state.standing import KnownFacts, read_known_facts, standing_of


class ForeignEvent(Exception):
    """An event of another account: nothing that EventBridge could have sent here."""


@dataclass(frozen=True)
class _Done:
    """What was done about one call; `record` is what stands written of the containment."""

    containment: Containment | None = None
    record: Contained | None = None
    impacts: tuple[ReportedImpact, ...] = ()


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
            _report(call, early, Standing(), tools)
        return early
    call = _identified(call, tools)
    known = read_known_facts(
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
    undo_try(call, verdict, standing, known, tools)
    arm_breaker(tools.table, known.breaker, tools.settings, now=tools.now)
    learn(call, verdict, known, tools)
    if verdict.action is Action.IGNORE:
        return verdict
    method = containment.method if containment else None
    impacts = _impacts(call, verdict, known, tools, method)
    if verdict.reason is Reason.RELEASED and not impacts:
        return verdict
    done = _Done(containment, record, impacts)
    _report(call, verdict, standing, tools, done)
    return verdict


def _identified(call: Call, tools: Tools) -> Call:
    """A user whose record lacks the id, with the id that the group lists under that name."""
    caller = call.caller
    if caller.kind is not CallerKind.USER or caller.id:
        return call
    member = read_group(tools.iam, tools.settings.admin_group).by_name(caller.name)
    return replace(call, caller=replace(caller, id=member.id)) if member else call


def _judge(call: Call, known: KnownFacts, tools: Tools) -> tuple[Verdict, Standing, KnownFacts]:
    """The verdict; for an unproven member after looking for the proof and waiting for it."""
    standing = standing_of(call, known, tools.settings, now=tools.now)
    verdict = decide(call, standing, tools.settings, own_role_arn=tools.here.role_arn)
    # The owner of a stolen credential is contained altogether, unless it is an administrator.
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


def _impacts(
    call: Call, verdict: Verdict, known: KnownFacts, tools: Tools, method: DenyMethod | None
) -> tuple[ReportedImpact, ...]:
    """Find what the call changed, remediated where a containment would be carried out."""
    found = impacts_found(call, tools)
    match verdict.action:
        case Action.CONTAIN | Action.CRITICAL if tools.settings.enforcing:
            return tuple(_remediation_all(found, call, verdict, known, tools, method))
        case Action.REPORT if verdict.reason is Reason.RELEASED and tools.settings.enforcing:
            # With a stolen credential, before a release: the owner is left alone, it is not.
            return tuple(_remediation_all(found, call, verdict, known, tools, method))
        case Action.CONTAIN | Action.CRITICAL | Action.WOULD_CONTAIN:
            return tuple(reported(impact, "", account=tools.here.account) for impact in found)
    return ()


def _remediation_all(
    found: tuple[Impact, ...],
    call: Call,
    verdict: Verdict,
    known: KnownFacts,
    tools: Tools,
    method: DenyMethod | None,
) -> list[ReportedImpact]:
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
        denied_by=method,
    )
    # Root may name administrators: the account is root's.
    spared = verdict.reason is Reason.ROOT
    return [
        reported(impact, "", account=tools.here.account)
        if spared and impact.group
        else carry_out(impact, call, scene)
        for impact in found
    ]


def _report(
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
        impacts=done.impacts,
        settings=tools.settings,
        alias=account_alias(tools),
    )
    send(report, tools)
