"""Undo what an offending call changed, by the remediation that fits. Shell.

impacts/table.py decides which one fits. What existed before the call is only reported. Each one
may run any number of times.
"""

from __future__ import annotations

from handler.model.cloudtrail import Call
from handler.model.principal import METHOD_WORDS
from handler.model.report import ReportedImpact
from handler.revoker.impacts.model import Impact, Remediation
from handler.revoker.remediate.context import Scene
from handler.revoker.remediate.credentials import delete_login, silence, taint_sessions
from handler.revoker.remediate.outcomes import RE_ATTACHED, reported
from handler.revoker.remediate.principals import (
    contain_created_principal,
    contain_rescue_role,
    list_since,
    remove_membership,
)

# impacts/table.py: the trust of a role that rescues the Organization was replaced.
RESCUE_ROW = 49


def carry_out(impact: Impact, call: Call, scene: Scene) -> ReportedImpact:
    """Carry out one remediation and say what was done; ClientError makes Lambda try again."""
    match impact.remediation:
        case Remediation.CONTAIN:
            done = contain_created_principal(impact, call, scene)
        case Remediation.SILENCE:
            done = silence(impact, call, scene)
        case Remediation.DELETE_LOGIN:
            done = delete_login(impact, call, scene)
        case Remediation.TAINT_SESSIONS:
            done = taint_sessions(impact, call, scene)
        case Remediation.REMOVE:
            done = remove_membership(impact, call, scene)
        case Remediation.LIST_SINCE:
            done = list_since(impact, call, scene)
        case Remediation.REPORT if impact.row == RESCUE_ROW and scene.settings.contain_rescue_roles:
            done = contain_rescue_role(impact, call, scene)
        case Remediation.REPORT if (
            impact.deny_removed and scene.denied_by and _is_callers(impact, call)
        ):
            done = f"{RE_ATTACHED}{METHOD_WORDS[scene.denied_by]} holds"
        case Remediation.REPORT:
            done = ""
    return reported(impact, done, account=scene.account)


def _is_callers(impact: Impact, call: Call) -> bool:
    """Whether it was the caller's own; IAM names are unique whatever their case."""
    caller = call.caller
    return impact.kind is caller.kind and impact.name.casefold() == caller.name.casefold()
