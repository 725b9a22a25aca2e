"""The Organization as it is: its OUs and accounts, read once. It judges and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

# What Organizations says of an account that AWS has suspended, or whose owner closes it.
CLOSED = ("SUSPENDED", "PENDING_CLOSURE", "CLOSED")


@dataclass(frozen=True)
class Unit:
    """An organizational unit, or the root. `parent` is "" for the root; `path` holds the names
    from below the root down, so the root's is ()."""

    id: str
    name: str
    parent: str
    path: tuple[str, ...]


@dataclass(frozen=True)
class Account:
    """An account; `status` is what Organizations says: ACTIVE, SUSPENDED, PENDING_CLOSURE ...
    `unit` is the id of the OU or root right above it."""

    id: str
    name: str
    email: str
    status: str
    unit: str


@dataclass(frozen=True)
class Organization:
    """Everything below one root. `units` has the root too; both maps are by id."""

    id: str
    root: str
    management: str
    all_features: bool
    units: Mapping[str, Unit]
    accounts: Mapping[str, Account]

    def above(self, target: str) -> tuple[str, ...]:
        """The ids over an account or unit, nearest first, the root last."""
        if target in self.accounts:
            parent = self.accounts[target].unit
        else:
            parent = self.units[target].parent if target in self.units else ""
        return (parent, *self.above(parent)) if parent else ()

    def below(self, unit: str) -> tuple[Account, ...]:
        """Every account under a unit, however deep, by id."""
        found: list[Account] = []
        looking = [unit]
        while looking:
            at = looking.pop()
            looking += [child.id for child in self._inside[0].get(at, ())]
            found += self._inside[1].get(at, ())
        return tuple(sorted(found, key=lambda account: account.id))

    @property
    def closed(self) -> tuple[str, ...]:
        """The accounts in which nothing runs, since Organizations says so."""
        return tuple(sorted(one.id for one in self.accounts.values() if one.status in CLOSED))

    @cached_property
    def _inside(self) -> tuple[dict[str, list[Unit]], dict[str, list[Account]]]:
        """The units and the accounts right below each unit."""
        units: dict[str, list[Unit]] = {}
        accounts: dict[str, list[Account]] = {}
        for unit in self.units.values():
            units.setdefault(unit.parent, []).append(unit)
        for account in self.accounts.values():
            accounts.setdefault(account.unit, []).append(account)
        return units, accounts


def read_organization(client: Any) -> Organization:
    """Read the whole tree with an Organizations client of the management account or of a delegated
    administrator. Two listings a unit, of 20 a page: AWS has no listing of more. Raises
    ClientError.
    """
    about = client.describe_organization()["Organization"]
    roots = [
        root for page in client.get_paginator("list_roots").paginate() for root in page["Roots"]
    ]
    root = Unit(id=roots[0]["Id"], name=roots[0].get("Name", "Root"), parent="", path=())
    units = {unit.id: unit for unit in _tree(client, root)}
    return Organization(
        id=about["Id"],
        root=root.id,
        # The older name of the field is the only one that the API has.
        management=about["MasterAccountId"],
        all_features=about["FeatureSet"] == "ALL",
        units=units,
        accounts={account.id: account for unit in units for account in _accounts(client, unit)},
    )


def _tree(client: Any, unit: Unit) -> Iterator[Unit]:
    yield unit
    pages = client.get_paginator("list_organizational_units_for_parent").paginate(ParentId=unit.id)
    for page in pages:
        for row in page["OrganizationalUnits"]:
            child = Unit(row["Id"], row["Name"], parent=unit.id, path=(*unit.path, row["Name"]))
            yield from _tree(client, child)


def _accounts(client: Any, unit: str) -> Iterator[Account]:
    for page in client.get_paginator("list_accounts_for_parent").paginate(ParentId=unit):
        for row in page["Accounts"]:
            yield Account(
                id=row["Id"],
                name=row.get("Name", ""),
                email=row.get("Email", ""),
                # State took the place of Status in 2026; the answers of older endpoints lack it.
                status=row.get("State") or row["Status"],
                unit=unit,
            )
