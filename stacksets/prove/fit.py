"""Whether an account is one to prove the product in: every refusal, in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from handler.model.cloudtrail import arn_field
from handler.model.names import IAM_PATH, KEPT_PATH
from handler.model.settings import Settings
from stacksets.observed.bearers import Holding
from stacksets.prove.attacks.scene import PATH
from stacksets.scp.operator import may_take_off
from stacksets.steps.inputs import Given

# Roles that AWS puts into an account: IAM User Guide, "Service-linked roles", "Roles created by
# IAM Identity Center"; AWS Control Tower User Guide, "Required roles".
AWS_PATHS = ("/aws-service-role/", "/aws-reserved/")
AWS_NAMES = ("aws-controltower-", "AWSControlTowerExecution")
OUR_PATHS = (IAM_PATH, KEPT_PATH, PATH)
NAMED = 5


@dataclass(frozen=True)
class Found:
    """What was found in the account. `settings` are the deployed revoker's, None where there is
    none; `operator` is the ARN by which policies know the operator there. `users` are the names of
    those who are neither ours nor administrators, `roles` the ARNs of all. `has_group`: there is an
    administrators' group."""

    account: str
    operator: str
    settings: Settings | None
    users: tuple[str, ...]
    roles: tuple[str, ...]
    has_group: bool = True


def refusals(given: Given, found: Found, *, understood: bool) -> Iterator[str]:
    """Why nothing is played there; nothing where it may be."""
    if unfit := wrong_account(given, found.account):
        yield unfit
        return
    if found.settings is None:
        yield f"There is no revoker in account {found.account}: run status, then apply."
        return
    if not found.settings.enforcing:
        yield (
            f"The revoker of account {found.account} observes, and contains nobody. Give the "
            'account\'s unit a ring of its own with mode = "enforce" (docs/rollout.md, Enforcing) '
            "and run apply."
        )
    if not is_administrator(given, found):
        yield (
            f"You work in account {found.account} as {found.operator}, no administrator's role by "
            "AdminRolePatterns: your own calls would be answered like an attack. Enter it by "
            "another role (--access-role), or add this one to AdminRolePatterns and run apply."
        )
    holding = Holding(
        found.account, given.observed.partition, (), runs=True, operator=found.operator
    )
    if not may_take_off(given, holding):
        yield (
            f"The guardrail binds account {found.account}: only the break-glass role may take the "
            "deny off again. Run it with --access-role iam-administrators/break-glass."
        )
    if not understood and (strangers := tuple(_strangers(given, found))):
        yield (
            f"Account {found.account} is in use ({_some(strangers)}): take one made for tests, or "
            "say --i-understand. The proof touches none of them; a fault in the revoker could."
        )


def wrong_account(given: Given, account: str) -> str:
    """Why nobody plays attacks there, by the file alone; "" where one may."""
    organization = given.observed.organization
    if account in (organization.management, given.wanted.central.account):
        kind = "management" if account == organization.management else "security"
        return f"Account {account} is the {kind} account: take an account made for tests."
    if not any(account in given.ring_accounts(ring) for ring in given.wanted.rings):
        return (
            f"Account {account} is in no ring of the file: name an account below the units of one."
        )
    return ""


def is_administrator(given: Given, found: Found) -> bool:
    """Whether the revoker lets the operator call IAM. Of a user only the ledger knows."""
    patterns = found.settings.admin_roles if found.settings else ()
    return any(one.matches(role_arn=found.operator, on=given.today) for one in patterns)


def _strangers(given: Given, found: Found) -> Iterator[str]:
    yield from (f"user {name}" for name in found.users)
    for arn in found.roles:
        path, _, name = arn_field(arn, 5).removeprefix("role").rpartition("/")
        ours = f"{path}/".startswith((*AWS_PATHS, *OUR_PATHS)) or name.startswith(AWS_NAMES)
        patterns = found.settings.admin_roles if found.settings else ()
        if not ours and not any(one.matches(role_arn=arn, on=given.today) for one in patterns):
            yield f"role {name}"


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"
