"""What a call teaches about administrators and their credentials, whoever made it. Shell."""

from __future__ import annotations

from handler.marks import mark_sessions
from handler.reasons import Action, Reason, Verdict
from handler.roster import added_user, learn_addition, learn_removal, read_group, removed_user
from handler.standing import Known
from handler.tools import Tools
from handler.trail import Call


def learn(call: Call, verdict: Verdict, known: Known, tools: Tools) -> None:
    """Write down additions, removals and passwords; only an administrator's count as such."""
    if verdict.reason is Reason.ADMINISTRATOR_USER:
        tools.met.add(call.caller.id)
    if call.error_code:
        return
    trusted = verdict.reason in (
        Reason.ADMINISTRATOR_USER,
        Reason.ADMINISTRATOR_ROLE,
        Reason.ROOT,
    )
    _learn_password(call, verdict, known, tools, trusted=trusted)
    group = tools.settings.admin_group
    added, removed = added_user(call, group=group), removed_user(call, group=group)
    if not (added or removed):
        return
    live = known.live or read_group(tools.iam, group)
    if added:
        learn_addition(tools.table, call, live, known.baseline, user=added, verified=trusted)
    elif trusted:
        learn_removal(tools.table, call, live, known.baseline, user=removed)


def _learn_password(
    call: Call, verdict: Verdict, known: Known, tools: Tools, *, trusted: bool
) -> None:
    """A password that its owner or an administrator sets ends the offender's hold on sessions."""
    if call.name == "ChangePassword" and verdict.action is Action.IGNORE:
        if any(name.startswith("pwbad#") for name in known.principal):
            mark_sessions(
                tools.table,
                principal_id=call.caller.id,
                name=call.caller.name,
                call=call,
                good=True,
            )
        return
    named = call.request.get("userName")
    if not trusted or call.name not in ("UpdateLoginProfile", "CreateLoginProfile"):
        return
    try:
        user = tools.iam.get_user(UserName=str(named or call.caller.name))["User"]
    except tools.iam.exceptions.NoSuchEntityException:
        return
    mark_sessions(
        tools.table, principal_id=user["UserId"], name=user["UserName"], call=call, good=True
    )
