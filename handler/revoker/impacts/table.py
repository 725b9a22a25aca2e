"""What one offending IAM call changed, in whose favor, and its remediation. Never raises. Pure.

The table is GAIN_ROWS; its numbers are those of the documented methods of escalation. Decides
nothing about the caller, and asks AWS nothing: what the record lacks is said.
"""

from __future__ import annotations

from collections.abc import Callable

from handler.model.cloudtrail import Call
from handler.revoker.impacts.account import ACCOUNT_IMPACTS
from handler.revoker.impacts.credentials import CREDENTIAL_IMPACTS
from handler.revoker.impacts.federation import FEDERATION_IMPACTS
from handler.revoker.impacts.groups import GROUP_IMPACTS
from handler.revoker.impacts.model import Impact, ImpactOf, Offence, Remediation
from handler.revoker.impacts.passwords_and_mfa import LOGIN_IMPACTS
from handler.revoker.impacts.policies import POLICY_IMPACTS
from handler.revoker.impacts.principals import PRINCIPAL_IMPACTS

IMPACT_ROWS: dict[int, str] = {
    0: "a call outside the numbered methods: a deletion, a new thing without rights, a new API",
    1: "an access key for a user, or for the caller itself",
    2: "an access key deleted, which frees a slot for another",
    3: "an access key switched on or off",
    4: "a console password for a user who had none",
    5: "a user's console password reset",
    6: "the caller's own console password changed",
    7: "a managed policy attached to a user",
    8: "a managed policy attached to a role",
    9: "a managed policy attached to a group",
    10: "an inline policy on a user",
    11: "an inline policy on a role",
    12: "an inline policy on a group",
    13: "a user added to a group",
    14: "a new version of a managed policy",
    15: "another version of a managed policy put in force",
    16: "a role's trust policy replaced",
    17: "a new role, and what it trusts",
    18: "a new user",
    19: "a permissions boundary removed",
    20: "a permissions boundary set or replaced",
    21: "a policy or a membership taken away, which may have been a deny",
    22: "an MFA device removed",
    23: "an MFA device of the offender's",
    24: "the account's password policy changed",
    25: "a role put into an instance profile, or taken out of one",
    26: "a SAML provider created",
    27: "a SAML provider's metadata replaced, or the provider deleted",
    28: "an OIDC provider created",
    29: "an OIDC provider widened, narrowed or deleted",
    31: "a service-specific credential (CodeCommit, Keyspaces, Bedrock)",
    32: "an SSH public key",
    33: "an X.509 signing certificate",
    34: "a server certificate",
    40: "a service-linked role: nothing for the caller",
    41: "tags or the account's alias, on which policies may depend",
    43: "the Organization's access to root users switched",
    44: "a user renamed or moved",
    45: "a call whose parameters CloudTrail left out",
    46: "an administrator taken over, by rows 1, 3, 4, 5 or 23",
    47: "the administrators' group emptied, renamed, deleted or recreated",
    48: "a role made under a name that exempts, or under one of ours",
    49: "the trust of a role that rescues the Organization replaced",
    50: "the room for a deny used up, or an inline policy named like ours",
}

IMPACT_TABLE: dict[str, ImpactOf] = {
    **CREDENTIAL_IMPACTS,
    **LOGIN_IMPACTS,
    **POLICY_IMPACTS,
    **GROUP_IMPACTS,
    **PRINCIPAL_IMPACTS,
    **FEDERATION_IMPACTS,
    **ACCOUNT_IMPACTS,
}

# Calls that give their caller nothing and take nothing from anybody.
GIVES_NOTHING = frozenset(
    {
        "CreateServiceLinkedRole",
        "RejectDelegationRequest",
        "ResyncMFADevice",
        "SetSecurityTokenServicePreferences",
        "UpdateDelegationRequest",
    }
)


def impacts_of(
    call: Call, *, admin_group: str, rescue: Callable[[str], bool]
) -> tuple[Impact, ...]:
    """What an offender's call gave or took; empty where nothing, as after any failed call.

    `admin_group` is the administrators' group; `rescue` says whether a role, by ARN where the
    record tells its path, else by bare name, rolls out or rescues the Organization. Sources of the
    rows: CloudTrail's records of the IAM API, and the API reference.
    """
    if call.error_code or call.read_only or call.name in GIVES_NOTHING or not call.name:
        return ()
    if call.service not in ("iam.amazonaws.com", ""):
        return ()
    impact_of = IMPACT_TABLE.get(call.name)
    if impact_of is None:
        return (_new_api(call),)
    impact = impact_of(Offence(call=call, admin_group=admin_group, rescue=rescue))
    return (impact or _unknown_impact(call),)


def _unknown_impact(call: Call) -> Impact:
    return Impact(
        row=45,
        what=f"unknown: CloudTrail omitted the request of {call.name} (over 100 KB)",
        remediation=Remediation.LIST_SINCE,
        missing="Compare users, roles and policies with what you expect.",
        critical=True,
    )


def _new_api(call: Call) -> Impact:
    """Tell calls apart that make principals: IAM gets new ones, and none may pass for nothing."""
    return Impact(
        row=0,
        what=f"unknown: this version does not know the call {call.name}",
        remediation=Remediation.LIST_SINCE,
        missing="See the IAM API reference for what it does and how to undo it.",
    )
