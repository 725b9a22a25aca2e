"""Write what a call says about administrators, names and credentials, by any caller. Shell.

A fact is written for the holder of a name as of the call, and may be learnt, moved or unlearnt
whenever more is known: each time, the calls that were judged without it are asked for again.
"""

from __future__ import annotations

from handler.model.cloudtrail import Call
from handler.model.reasons import Action, Reason, Verdict
from handler.revoker.judge.membership import CLOCK_SLACK, ever_known
from handler.revoker.judge.renames import rename_in
from handler.revoker.state.context import Tools
from handler.revoker.state.ledger import (
    Member,
    added_user,
    ask_again,
    forget_elsewhere,
    gone_bearers,
    membership,
    principal_key,
    read_group,
    removed_user,
)
from handler.revoker.state.marks import mark_sessions
from handler.revoker.state.name_history import (
    drop_change,
    holder_of,
    keep_change,
    keep_rename,
    kept_changes,
    mark_placed,
    mark_rename_learnt,
    rename_is_learnt,
)
from handler.revoker.state.standing import KnownFacts
from handler.revoker.state.table import Value

# Whose changes of the administrators' group count.
TRUSTED = frozenset({Reason.ADMINISTRATOR_USER, Reason.ADMINISTRATOR_ROLE, Reason.ROOT})
OFFENCES = frozenset({Action.CONTAIN, Action.WOULD_CONTAIN, Action.CRITICAL})
# What was handled before a rename arrived had the wrong holder, and what the baseline found
# of may be older than it; events are rarely later.
REPORTING_SECONDS = 20 * 60.0
# Calls that do something to the user that they name: what is done about them follows the name. The
# event history is asked for them by their own names (proof.py says why).
CALLS_ON_NAMES = (
    "AddUserToGroup",
    "RemoveUserFromGroup",
    "CreateLoginProfile",
    "UpdateLoginProfile",
    "EnableMFADevice",
    "DeactivateMFADevice",
    "CreateAccessKey",
    "UpdateAccessKey",
    "CreateServiceSpecificCredential",
    "ResetServiceSpecificCredential",
    "UpdateServiceSpecificCredential",
    "UploadSSHPublicKey",
    "UpdateSSHPublicKey",
    "UploadSigningCertificate",
    "UpdateSigningCertificate",
)


def learn(call: Call, verdict: Verdict, known: KnownFacts, tools: Tools) -> None:
    """Write down renames, additions, removals and passwords; only an administrator's count."""
    if verdict.reason is Reason.ADMINISTRATOR_USER:
        tools.met.add(call.caller.id)
    if call.error_code or call.time is None:
        return
    trusted = verdict.reason in TRUSTED
    learn_rename(call, known, tools)
    # Root cannot be told from a thief of root: its resets are tainted like an offender's.
    owned = trusted and verdict.reason is not Reason.ROOT
    _learn_password(call, verdict, known, tools, trusted=owned)
    group = tools.settings.admin_group
    user = added_user(call, group=group) or removed_user(call, group=group)
    if not user:
        return
    fact = fact_of(call)
    if trusted:
        if keep_change(tools.table, fact, user=user, at=call.time, now=tools.now):
            _place(fact, user, call.time, known, tools)
    elif _is_offence(verdict):
        _unlearn(call, fact, known, tools)


def _is_offence(verdict: Verdict) -> bool:
    """Also what was done with a stolen credential before its owner's release."""
    stolen = verdict.reason is Reason.RELEASED and verdict.action is Action.REPORT
    return stolen or verdict.action in OFFENCES


def fact_of(call: Call) -> str:
    """The attribute by which the ledger keeps an addition or a removal."""
    return f"{'add' if call.name == 'AddUserToGroup' else 'del'}#{call.event_id}"


def is_written(fact: str, tools: Tools) -> bool:
    """Whether the ledger has this addition or removal, of whomever."""
    return any(fact in item for item in tools.table.items("principal#"))


def write_fact(member: Member, fact: str, at: float, tools: Tools) -> None:
    """Put a fact on its member and on nobody else; what was judged without it is asked again."""
    key = principal_key(member.id)
    _unwrite(fact, at, tools, keep=member.id)
    if fact in tools.table.read([key]).get(key, {}):
        return
    if fact.startswith("del#"):
        _ask_again(key, member.name, at, tools)
    values: dict[str, Value] = {"kind": "user", "name": member.name, fact: at}
    tools.table.update(key, values)


def _unwrite(fact: str, at: float, tools: Tools, *, keep: str = "", only: str = "") -> None:
    for wrong in forget_elsewhere(tools.table, fact, keep=keep, only=only):
        _ask_again(str(wrong["pk"]), str(wrong.get("name", "")), at, tools)


def _place(fact: str, user: str, at: float, known: KnownFacts, tools: Tools) -> None:
    """Find the user that an administrator's change meant, and write it there."""
    holders = [item for item in tools.table.items("principal#") if fact in item]
    found = str(holders[0]["pk"]).removeprefix("principal#") if holders else ""
    holder = holder_of(tools.iam, tools.table, user, at, found=found)
    if holder.taker:
        _unwrite(fact, at, tools, only=holder.taker.id)
    if holder.member is None:
        if fact.startswith("del#"):
            for gone in gone_bearers(tools.iam, tools.table, user):
                # What the user did in between is judged again all the same.
                write_fact(gone, fact, at, tools)
        return
    if not _is_older(fact, holder.member, at, known, tools):
        write_fact(holder.member, fact, at, tools)
    mark_placed(tools.table, fact, now=tools.now)


def _is_older(fact: str, member: Member, at: float, known: KnownFacts, tools: Tools) -> bool:
    """A removal older than the baseline that found the user: it was added again before it."""
    baseline = known.baseline
    if fact.startswith("add#") or at > baseline.taken + CLOCK_SLACK:
        return False
    live = known.live or read_group(tools.iam, tools.settings.admin_group)
    return member.id in baseline.members and live.by_id(member.id) is not None


def _unlearn(call: Call, fact: str, known: KnownFacts, tools: Tools) -> None:
    """An offender's change counts for nothing, and may explain what the baseline found."""
    assert call.time is not None
    drop_change(tools.table, fact)
    _unwrite(fact, call.time, tools)
    _keep_ousted(call, known, tools)
    added = added_user(call, group=tools.settings.admin_group)
    baseline, caller = known.baseline, call.caller
    itself = added.casefold() == caller.name.casefold() and caller.id in baseline.members
    if not (added and itself and call.time <= baseline.taken + CLOCK_SLACK):
        return
    key = principal_key(caller.id)
    strike = f"strike#{call.event_id}"
    if strike not in tools.table.read([key]).get(key, {}):
        # The baseline vouched for the user's calls of before it as well.
        since = min(call.time, baseline.taken - REPORTING_SECONDS)
        _ask_again(key, caller.name, since, tools)
        tools.table.update(key, {"kind": "user", "name": caller.name, strike: call.time})


def _keep_ousted(call: Call, known: KnownFacts, tools: Tools) -> None:
    """A user that an offender took out of the group before the baseline counts as found there.

    IAM removes a non-member without a word, so this is no proof. Neither is the baseline.
    """
    user = removed_user(call, group=tools.settings.admin_group)
    if not user or call.time is None or user.casefold() == call.caller.name.casefold():
        return
    if call.time > known.baseline.taken + CLOCK_SLACK:
        return
    ousted = holder_of(tools.iam, tools.table, user, call.time).member
    if ousted is not None and ousted.id not in known.baseline.members:
        facts: dict[str, Value] = {"kind": "user", "name": ousted.name}
        tools.table.update(principal_key(ousted.id), facts | {f"add#{call.event_id}": 0.0})


def _ask_again(key: str, name: str, since: float, tools: Tools) -> None:
    principal_id = key.removeprefix("principal#")
    ask_again(tools.table, principal_id=principal_id, name=name, since=since)


def learn_rename(call: Call, known: KnownFacts, tools: Tools) -> None:
    """Keep a rename, and judge again what named either name before it arrived."""
    rename = rename_in(call)
    if rename is None or rename_is_learnt(tools.table, call.event_id):
        return
    for name in CALLS_ON_NAMES:
        ask_again(tools.table, by="EventName", name=name, since=rename.at - REPORTING_SECONDS)
    keep_rename(tools.table, rename, event_id=call.event_id, now=tools.now)
    for change in kept_changes(tools.table):
        # Whatever the name: this rename may be the link that was missing. One that came after the
        # user was found says nothing about it.
        if change.at <= rename.at <= (change.placed or tools.now):
            _place(change.fact, change.user, change.at, known, tools)
    mark_rename_learnt(tools.table, call.event_id)


def _learn_password(
    call: Call, verdict: Verdict, known: KnownFacts, tools: Tools, *, trusted: bool
) -> None:
    """A password that its owner or an administrator sets ends the offender's hold on sessions."""
    if call.name == "ChangePassword" and verdict.action is Action.IGNORE:
        caller = call.caller
        if ever_known(membership(known.baseline, caller.id, known.principal)):
            mark_sessions(
                tools.table, principal_id=caller.id, name=caller.name, call=call, good=True
            )
        return
    if not trusted or call.name not in ("UpdateLoginProfile", "CreateLoginProfile"):
        return
    assert call.time is not None
    named = str(call.request.get("userName") or call.caller.name)
    member = holder_of(tools.iam, tools.table, named, call.time).member
    if member is not None:
        forget_elsewhere(tools.table, f"pwgood#{call.event_id}", keep=member.id)
        mark_sessions(tools.table, principal_id=member.id, name=member.name, call=call, good=True)
