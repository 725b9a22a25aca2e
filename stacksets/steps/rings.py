"""Steps for one ring: its StackSet, and which accounts get, keep or lose a stack of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from stacksets.config.model import MOST_UNITS, Ring
from stacksets.observed.model import Instance, StackSet
from stacksets.steps.guardrail import many
from stacksets.steps.inputs import Given
from stacksets.steps.model import Step
from stacksets.steps.ring_calls import (
    but_excluded,
    following,
    instances_call,
    managed_execution,
    named_accounts,
    preferences,
    ring_call,
    ring_step,
    whole_set,
)
from stacksets.steps.stacks import CAPABILITIES, changes

# Above this many accounts a call names the units instead of the accounts.
NAMED_ACCOUNTS = 100


def ring_steps(given: Given, ring: Ring) -> Iterator[Step]:
    """Everything that brings a ring from what was observed to what is wanted, in order, once
    `leaving_steps` of all rings are done."""
    seen = given.observed.stack_sets.get(ring.stack_set)
    if seen is None:
        yield _create(given, ring)
        if given.ring_accounts(ring):
            yield _add_units(given, ring, given.ring_units(ring))
        return
    changed = _changed(given, ring, seen)
    if changed:
        yield _upgrade(given, ring, seen)
    now = seen.auto_deployment
    # An upgrade has switched it on.
    is_managed = seen.managed or changed
    if changed or not now.enabled or now.retain != ring.retain_on_leave:
        says = f"Switch auto-deployment of {ring.stack_set} on, stacks of accounts that leave "
        says += "stay" if ring.retain_on_leave else "go"
        target_text = "accounts that join or leave from now on"
        yield _switch(given, ring, seen, says, target_text, is_managed=is_managed)
    elif not is_managed:
        says = f"Switch managed execution of {ring.stack_set} on: operations wait for each other"
        yield _switch(given, ring, seen, says, "no stack changes", is_managed=False)
    fresh = _new_units(given, ring)
    if _below(given, ring, fresh):
        yield _add_units(given, ring, fresh)
    yield from _repair(given, ring, seen, changed=changed, fresh=fresh)


def _new_units(given: Given, ring: Ring) -> list[str]:
    """The ring's units of which nothing shows that they are targets of its set."""
    seen = given.observed.stack_sets.get(ring.stack_set)
    targets = seen.targets if seen else ()
    return [unit for unit in given.ring_units(ring) if unit not in targets]


def _below(given: Given, ring: Ring, units: Iterable[str]) -> list[str]:
    """The accounts of the ring in some of its units."""
    below = {one.id for unit in units for one in given.observed.organization.below(unit)}
    return [account for account in given.ring_accounts(ring) if account in below]


def idle_units(given: Given, ring: Ring) -> list[str]:
    """The units that are targets of the set for all that is known, and that no call names: there
    is no account to install in. Named again in each plan they would never come to rest where AWS
    does not list them, and a call that reaches nobody may be refused: no page says."""
    units = _new_units(given, ring)
    return [] if _below(given, ring, units) else units


def unfinished(given: Given, ring: Ring, seen: StackSet) -> tuple[Instance, ...]:
    """The instances that should be current and are not, but for those that no update mends."""
    return tuple(
        one
        for one in seen.instances.values()
        if one.account in given.ring_accounts(ring)
        and (one.status, one.detail) != ("CURRENT", "SUCCEEDED")
        and one.status != "INOPERABLE"
    )


def _changed(given: Given, ring: Ring, seen: StackSet) -> bool:
    same = seen.digest == given.member.digest
    return not same or dict(seen.parameters) != given.parameters(ring)


def _create(given: Given, ring: Ring) -> Step:
    arguments = {
        **whole_set(given, ring),
        **managed_execution(is_on=False),
        "PermissionModel": "SERVICE_MANAGED",
        "AutoDeployment": following(ring, enabled=True),
    }
    return ring_step(
        given,
        ring,
        says=f"Create the StackSet {ring.stack_set}, {ring.mode} mode",
        target_text="nobody yet",
        call=ring_call(given, "CreateStackSet", arguments),
        waits=False,
    )


def _upgrade(given: Given, ring: Ring, seen: StackSet) -> Step:
    """One operation for template, parameters and the end of auto-deployment: an account that joins
    meanwhile must not get what is about to be replaced."""
    arguments = {
        **whole_set(given, ring),
        **managed_execution(is_on=seen.managed),
        "OperationPreferences": preferences(ring),
        "AutoDeployment": following(ring, enabled=False),
    }
    shows = changes(seen.template, given.member, seen.parameters, given.parameters(ring))
    if not seen.managed:
        shows = (*shows, "~ managed execution: on")
    accounts = sorted(seen.instances)
    return ring_step(
        given,
        ring,
        says=f"Update {ring.stack_set} to {ring.mode} mode, auto-deployment off meanwhile",
        target_text=many(len(accounts), "account"),
        call=ring_call(given, "UpdateStackSet", arguments),
        accounts=accounts,
        shows=shows,
    )


def _switch(
    given: Given, ring: Ring, seen: StackSet, says: str, target_text: str, *, is_managed: bool
) -> Step:
    """Template and parameters stay; how the set works becomes what it should be."""
    known = sorted(given.parameters(ring))
    arguments = {
        "StackSetName": ring.stack_set,
        "UsePreviousTemplate": True,
        "Parameters": [{"ParameterKey": key, "UsePreviousValue": True} for key in known],
        "Capabilities": CAPABILITIES,
        "OperationPreferences": preferences(ring),
        "AutoDeployment": following(ring, enabled=True),
        **managed_execution(is_on=is_managed),
        "CallAs": given.wanted.call_as,
    }
    return ring_step(
        given,
        ring,
        says=says,
        target_text=target_text,
        call=ring_call(given, "UpdateStackSet", arguments),
        accounts=sorted(seen.instances),
    )


def _add_units(given: Given, ring: Ring, units: Iterable[str]) -> Step:
    """Instances in whole units, but for the accounts that are excluded by choice."""
    units = list(units)
    accounts = _below(given, ring, units)
    names = ", ".join(given.unit_name(unit) for unit in units)
    return ring_step(
        given,
        ring,
        says=f"Install {ring.mode} mode by {ring.stack_set}",
        target_text=f"{names}: {many(len(accounts), 'account')}",
        call=instances_call(given, ring, "CreateStackInstances", but_excluded(given, units)),
        accounts=accounts,
    )


def leaving_steps(given: Given, ring: Ring) -> Iterator[Step]:
    """Take the stacks away that this ring should not have: of units that are no longer its own,
    of accounts that are excluded by now, and of such as were moved out of its units. Before any
    ring installs: names are fixed."""
    seen = given.observed.stack_sets.get(ring.stack_set)
    if seen is None:
        return
    leaving = leaving_accounts(given, ring)
    wanted = given.ring_units(ring)
    known = given.observed.organization.accounts
    # Nothing takes the stack of a closed account, by which a unit would be a target for ever.
    active = [one for one in leaving if one in known and known[one].status == "ACTIVE"]
    units = dict.fromkeys([*seen.units, *(seen.instances[one].unit for one in active)])
    for unit in [one for one in units if one not in wanted]:
        accounts = [account for account in leaving if seen.instances[account].unit == unit]
        targets: dict[str, Any] = {"OrganizationalUnitIds": [unit]}
        yield _delete(given, ring, given.unit_name(unit), targets, accounts)
    left = [account for account in leaving if seen.instances[account].unit in wanted]
    moved = [account for account in left if given.wanted.reason_to_exclude(account) is None]
    excluded = [account for account in left if account not in moved]
    if excluded:
        targets = named_accounts(sorted({seen.instances[one].unit for one in excluded}), excluded)
        yield _delete(given, ring, "excluded by choice", targets, excluded)
    # AWS does not say by which unit it finds an account that has moved: the one that the set has
    # noted, or the one where the account lies now. So each may bring two.
    for at in range(0, len(moved), MOST_UNITS // 2):
        part = moved[at : at + MOST_UNITS // 2]
        both = {seen.instances[one].unit for one in part} | {known[one].unit for one in part}
        targets = named_accounts(sorted(both), part)
        yield _delete(given, ring, "moved out of its units", targets, part)


def leaving_accounts(given: Given, ring: Ring) -> list[str]:
    """The accounts whose stack of this ring is to go."""
    seen = given.observed.stack_sets.get(ring.stack_set)
    wanted = given.ring_units(ring)
    return sorted(
        account
        for account, one in (seen.instances if seen else {}).items()
        if one.unit not in wanted
        or given.wanted.reason_to_exclude(account) is not None
        or _moved_away(given, wanted, account)
    )


def _moved_away(given: Given, units: Iterable[str], account: str) -> bool:
    """Whether an account lies outside the units of the ring whose stack it has. Auto-deployment
    takes that stack away before it gives the new ring's (CloudFormation User Guide, "Enable or
    disable automatic deployments"), but where somebody is contained (its deny is in use) or where
    it was off; with it there no other ring can give one. Nothing reaches a closed account."""
    found = given.observed.organization.accounts.get(account)
    if found is None or found.status != "ACTIVE":
        return False
    return set(units).isdisjoint(given.observed.organization.above(account))


def _delete(
    given: Given, ring: Ring, target_text: str, targets: dict[str, Any], accounts: list[str]
) -> Step:
    call = instances_call(given, ring, "DeleteStackInstances", targets, RetainStacks=False)
    return ring_step(
        given,
        ring,
        says=f"Remove the product, by {ring.stack_set}",
        target_text=f"{target_text}: {many(len(accounts), 'account')}",
        call=call,
        accounts=accounts,
    )


def _repair(
    given: Given, ring: Ring, seen: StackSet, *, changed: bool, fresh: list[str]
) -> Iterator[Step]:
    """Accounts that have no stack yet, and stacks that an earlier operation did not finish."""
    new = _below(given, ring, fresh)
    behind = unfinished(given, ring, seen)
    missing = [
        account
        for account in given.ring_accounts(ring)
        if account not in new and account not in seen.instances
    ]
    # What never came to be is made by the same call that makes new ones.
    missing += [one.account for one in behind if not one.stack_id]
    if missing:
        yield _some(given, ring, "CreateStackInstances", "Install, where it is missing,", missing)
    outdated = [one.account for one in behind if one.stack_id]
    if outdated and not changed:
        yield _some(given, ring, "UpdateStackInstances", "Try again, where it failed,", outdated)


def _some(given: Given, ring: Ring, operation: str, says: str, accounts: list[str]) -> Step:
    units = list(given.ring_units(ring))
    targets = (
        named_accounts(units, accounts)
        if len(accounts) <= NAMED_ACCOUNTS
        else but_excluded(given, units)
    )
    return ring_step(
        given,
        ring,
        says=f"{says} by {ring.stack_set}",
        target_text=many(len(accounts), "account"),
        call=instances_call(given, ring, operation, targets),
        accounts=sorted(accounts),
    )
