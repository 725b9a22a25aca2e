"""Take away what an offending call gave: which remedy stands where. Shell.

Which remedy fits is decided in gains.py. What existed before the call is only told of. Each remedy
may run any number of times.
"""

from __future__ import annotations

from handler.model.cloudtrail import Call
from handler.model.principal import RUNG_WORDS
from handler.model.report import GainTold
from handler.revoker.impacts.model import Gain, Remedy
from handler.revoker.remediate.credentials import delete_login, silence, taint_sessions
from handler.revoker.remediate.outcomes import RE_ATTACHED, told
from handler.revoker.remediate.principals import (
    contain_creature,
    contain_rescue_role,
    list_since,
    take_membership_back,
)
from handler.revoker.remediate.scene import Scene

# gains.py: the trust of a role that rescues the Organization was replaced.
RESCUE_ROW = 49


def carry_out(gain: Gain, call: Call, scene: Scene) -> GainTold:
    """Carry out one remedy and say what was done; raises ClientError for Lambda to try again."""
    match gain.remedy:
        case Remedy.CONTAIN:
            done = contain_creature(gain, call, scene)
        case Remedy.SILENCE:
            done = silence(gain, call, scene)
        case Remedy.DELETE_LOGIN:
            done = delete_login(gain, call, scene)
        case Remedy.TAINT_SESSIONS:
            done = taint_sessions(gain, call, scene)
        case Remedy.TAKE_BACK:
            done = take_membership_back(gain, call, scene)
        case Remedy.LIST_SINCE:
            done = list_since(gain, call, scene)
        case Remedy.TELL if gain.row == RESCUE_ROW and scene.settings.contain_rescue_roles:
            done = contain_rescue_role(gain, call, scene)
        case Remedy.TELL if gain.deny_removed and scene.denied_by and _is_callers(gain, call):
            done = f"{RE_ATTACHED}{RUNG_WORDS[scene.denied_by]} holds"
        case Remedy.TELL:
            done = ""
    return told(gain, done, account=scene.account)


def _is_callers(gain: Gain, call: Call) -> bool:
    """Whether it was the caller's own; IAM names are unique whatever their case."""
    caller = call.caller
    return gain.kind is caller.kind and gain.name.casefold() == caller.name.casefold()
