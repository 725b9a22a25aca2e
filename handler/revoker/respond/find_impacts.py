"""What a call gave, looked up with what only this account knows. Shell over `impacts/table.py`."""

from __future__ import annotations

from handler.model.cloudtrail import Call
from handler.revoker.impacts.model import Impact
from handler.revoker.impacts.table import impacts_of
from handler.revoker.judge.rules import rescue_role
from handler.revoker.state.context import Tools


def impacts_found(call: Call, tools: Tools) -> tuple[Impact, ...]:
    """Return the rows of the table of impacts that fit this call, exempt roles apart."""
    return impacts_of(
        call,
        admin_group=tools.settings.admin_group,
        rescue=lambda role: rescue_role(_role_arn_of(role, tools), call, tools.settings),
    )


def _role_arn_of(role: str, tools: Tools) -> str:
    """A role's ARN: records name it without its path, by which a pattern may exempt it."""
    if role.startswith("arn:"):
        return role
    try:
        return str(tools.iam.get_role(RoleName=role)["Role"]["Arn"])
    except tools.iam.exceptions.NoSuchEntityException:
        return role
