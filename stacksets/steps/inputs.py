"""Everything that a plan is computed from, and what follows from it at once. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from handler.model.names import BUS
from stacksets.config.model import Management, Ring, Wanted
from stacksets.observed.bearers import Holding
from stacksets.observed.model import Observed
from stacksets.observed.organization import Account
from stacksets.observed.templates import Template


@dataclass(frozen=True)
class Given:
    """`guardrail` is the policy's text; `today` is a day in UTC. `held`: who is contained or kept
    in the accounts whose stack is to go or to move, and in those where a keeping has not ended, by
    account; `not_looked` says where that could not be seen, "" where it could."""

    wanted: Wanted
    observed: Observed
    member: Template
    central: Template
    guardrail: str
    today: date
    held: Mapping[str, Holding] = field(default_factory=dict)
    not_looked: str = ""

    @property
    def deploying(self) -> str:
        """The account whose StackSets these are."""
        if self.wanted.delegated:
            return self.wanted.deploy_from
        return self.observed.organization.management

    @property
    def bus(self) -> str:
        """The central bus: its ARN follows from names, so members can be planned before it is."""
        where = f"{self.wanted.region}:{self.wanted.central.account}"
        return f"arn:{self.observed.partition}:events:{where}:event-bus/{BUS}"

    def parameters(self, of: Ring | Management) -> dict[str, str]:
        """The member template's parameters, whole."""
        return {**of.parameters, "CentralBusArn": self.bus}

    def template_url(self, template: Template, account: str) -> str:
        bucket = self.observed.buckets[account].name
        return f"{self.observed.s3}/{bucket}/{template.key}"

    def unit_id(self, named: str) -> str | None:
        """A unit's id, from its id or its path of names; None where there is none."""
        units = self.observed.organization.units
        if named in units:
            return named
        path = tuple(part for part in named.split("/") if part)
        return next((unit.id for unit in units.values() if unit.path == path), None)

    def unit_name(self, unit: str) -> str:
        """A unit as people call it."""
        found = self.observed.organization.units.get(unit)
        if found is None:
            return unit
        return "/".join(found.path) or "the root"

    def ring_units(self, ring: Ring) -> tuple[str, ...]:
        """The ids of a ring's units that exist."""
        found = (self.unit_id(named) for named in ring.units)
        return tuple(unit for unit in found if unit is not None)

    def ring_accounts(self, ring: Ring) -> Mapping[str, Account]:
        """The accounts that a ring should cover, by id: the active ones below its units, but for
        the management account, where StackSets never deploy, and those excluded by choice."""
        return self._accounts_of_rings[ring.name]

    @cached_property
    def _accounts_of_rings(self) -> Mapping[str, Mapping[str, Account]]:
        organization = self.observed.organization
        left_out = {organization.management, *(one.account for one in self.wanted.excluded)}
        return {
            ring.name: {
                account.id: account
                for unit in self.ring_units(ring)
                for account in organization.below(unit)
                if account.status == "ACTIVE" and account.id not in left_out
            }
            for ring in self.wanted.rings
        }
