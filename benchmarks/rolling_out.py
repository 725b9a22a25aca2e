"""A made-up Organization for `plan`, for sizes.py, which measures it.

It answers in AWS's own page sizes: 20 of everything in Organizations, 100 stack instances.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from stacksets.cli.common import read_inputs, read_release
from stacksets.config.load import read_wanted
from stacksets.observe.clients import Clients
from stacksets.planners.rollout import plan
from stacksets.steps.model import Plan
from tests.stacksets.scene import MANAGEMENT, ROOT, SECURITY, rollout_file

ACCOUNTS_IN_A_UNIT = 25
ORGANIZATIONS_PAGE, INSTANCES_PAGE = 20, 100
RELEASE = read_release(Path(__file__).parent.parent / "templates")
FILE = rollout_file({f"r{number}": f"ring-{number}" for number in range(3)}, canary="ring-0")


@dataclass
class Landscape:
    """An Organization of `size` accounts in three units with units of 25 below them; `calls`
    counts the requests of each operation."""

    size: int
    calls: Counter[str] = field(default_factory=Counter)

    def units(self, parent: str) -> list[str]:
        if parent == ROOT:
            return [f"ou-ab12-ring{number:08d}" for number in range(3)]
        if parent.startswith("ou-ab12-ring"):
            ring = int(parent[-8:])
            count = -(-self.size // ACCOUNTS_IN_A_UNIT)
            return [f"ou-ab12-unit{number:08d}" for number in range(ring, count, 3)]
        return []

    def accounts(self, parent: str) -> list[str]:
        if parent == ROOT:
            return [MANAGEMENT, SECURITY]
        if parent.startswith("ou-ab12-unit"):
            first = int(parent[-8:]) * ACCOUNTS_IN_A_UNIT
            last = min(first + ACCOUNTS_IN_A_UNIT, self.size)
            return [str(500_000_000_000 + number) for number in range(first, last)]
        return []

    def in_ring(self, ring: int) -> list[str]:
        units = self.units(f"ou-ab12-ring{ring:08d}")
        return [account for unit in units for account in self.accounts(unit)]


class Client:
    """Answers what a rollout asks, in pages; one for all services."""

    meta = SimpleNamespace(endpoint_url="https://s3.us-east-1.amazonaws.com")

    def __init__(self, landscape: Landscape, walked: Plan | None) -> None:
        self._landscape = landscape
        self._sets = {} if walked is None else dict(_made(walked, landscape))

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **asked: self._pages(operation, asked))

    def _pages(self, operation: str, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        key, rows = self._rows(operation, asked)
        size = INSTANCES_PAGE if operation == "list_stack_instances" else ORGANIZATIONS_PAGE
        for start in range(0, max(len(rows), 1), size):
            self._landscape.calls[operation] += 1
            # What travels is text: an answer's strings are new ones, as a parser makes them.
            yield json.loads(json.dumps({key: rows[start : start + size]}))

    def _rows(self, operation: str, asked: Mapping[str, Any]) -> tuple[str, list[Any]]:
        here = self._landscape
        match operation:
            case "list_roots":
                return "Roots", [{"Id": ROOT, "Name": "Root"}]
            case "list_organizational_units_for_parent":
                units = here.units(asked["ParentId"])
                return "OrganizationalUnits", [{"Id": one, "Name": _name(one)} for one in units]
            case "list_accounts_for_parent":
                return "Accounts", [_account(one) for one in here.accounts(asked["ParentId"])]
            case "list_policies":
                return "Policies", [{"Id": "p-FullAWSAccess", "Name": "FullAWSAccess"}]
            case "list_targets_for_policy":
                return "Targets", _every_target(here)
            case "list_delegated_administrators":
                return "DelegatedAdministrators", []
            case "list_stack_sets":
                return "Summaries", [{"StackSetName": name} for name in self._sets]
            case "list_stack_instances":
                return "Summaries", self._sets[asked["StackSetName"]]["instances"]
            case "list_objects_v2":
                return "Contents", []
        raise LookupError(operation)

    def __getattr__(self, operation: str) -> Any:
        def call(**asked: Any) -> dict[str, Any]:
            self._landscape.calls[operation] += 1
            return self._answer(operation, asked)

        return call

    def _answer(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        match operation:
            case "describe_organization":
                about = {
                    "Id": "o-exampleorgid",
                    "MasterAccountId": MANAGEMENT,
                    "FeatureSet": "ALL",
                }
                return {"Organization": about}
            case "list_roots":
                kind = {"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}
                return {"Roots": [{"Id": ROOT, "PolicyTypes": [kind]}]}
            case "describe_policy":
                statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
                return {"Policy": {"Content": json.dumps({"Statement": [statement]})}}
            case "describe_organizations_access":
                return {"Status": "ENABLED"}
            case "describe_stack_set":
                return {"StackSet": self._sets[asked["StackSetName"]]["set"]}
            case "list_stack_set_operations":
                return {"Summaries": []}
            case "describe_stacks":
                return {"Stacks": [{"StackStatus": "CREATE_COMPLETE"}]}
            case "get_template":
                central = asked["StackName"].endswith("-central")
                return {"TemplateBody": (RELEASE.central if central else RELEASE.member).body}
            case "get_public_access_block":
                names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy")
                closed = dict.fromkeys((*names, "RestrictPublicBuckets"), True)
                return {"PublicAccessBlockConfiguration": closed}
        return {}


def _made(planned: Plan, landscape: Landscape) -> Iterator[tuple[str, dict[str, Any]]]:
    """The sets as they stand after a plan was walked, one account in each a failure."""
    creating = [call for call in planned.calls() if call.operation == "CreateStackSet"]
    for ring, call in enumerate(creating):
        unit = f"ou-ab12-ring{ring:08d}"
        rows = [_instance(account, unit) for account in landscape.in_ring(ring)]
        rows[0] |= {"Status": "OUTDATED", "StackInstanceStatus": {"DetailedStatus": "FAILED"}}
        row = {
            **call.arguments,
            "Status": "ACTIVE",
            "TemplateBody": RELEASE.member.body,
            "OrganizationalUnitIds": [unit],
        }
        yield call.arguments["StackSetName"], {"set": row, "instances": rows}


def _instance(account: str, unit: str) -> dict[str, Any]:
    return {
        "Account": account,
        "OrganizationalUnitId": unit,
        "Status": "CURRENT",
        "StackInstanceStatus": {"DetailedStatus": "SUCCEEDED"},
        "DriftStatus": "NOT_CHECKED",
        "StackId": f"arn:aws:cloudformation:us-east-1:{account}:stack/StackSet-iam-org-revoker-r/0",
    }


def _account(account: str) -> dict[str, str]:
    email = f"account-{account}@example.com"
    return {"Id": account, "Name": f"name of {account}", "Email": email, "State": "ACTIVE"}


def _name(unit: str) -> str:
    kind, number = unit[8:12], int(unit[-8:])
    return f"{kind}-{number}"


def _every_target(landscape: Landscape) -> list[dict[str, str]]:
    units = [ROOT, *landscape.units(ROOT)]
    units += [below for unit in landscape.units(ROOT) for below in landscape.units(unit)]
    accounts = [account for unit in units for account in landscape.accounts(unit)]
    return [{"TargetId": one} for one in (*units, *accounts)]


def planned(size: int, *, before: Plan | None) -> tuple[Plan, Counter[str]]:
    """A plan over so many accounts, once `before` was walked, and its calls by operation."""
    landscape = Landscape(size)
    client = Client(landscape, before)
    clients = Clients(
        caller=f"arn:aws:iam::{MANAGEMENT}:user/operator",
        make=lambda *_: client,
        elsewhere=lambda *_: client,
    )
    wanted = read_wanted(
        FILE,
        member=RELEASE.member.document["Parameters"],
        central=RELEASE.central.document["Parameters"],
    )
    made = plan(read_inputs(wanted, RELEASE, clients, today=date(2026, 11, 22)))
    return made, landscape.calls
