"""A made-up Organization for `status` and its page, for sizes.py, which measures it.

Its answers have the size of AWS's pages: 20 accounts or units (Organizations), 100 instances
(CloudFormation), 1 MB (DynamoDB).
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from handler.model.heartbeat import pack_heartbeat
from stacksets.cli.status import read_status
from stacksets.cli.status_json import status_json
from stacksets.cli.status_page import write_page
from stacksets.observe.clients import Clients
from stacksets.observed.organization import Account
from stacksets.observed.templates import read_template
from stacksets.status.coverage import coverage
from tests.stacksets.status.inputs import DAY, NOW, mixed_status_inputs

ROOT = Path(__file__).parent.parent
LISTED, INSTANCES, PAGE_BYTES = 20, 100, 1_000_000
# Incidents that each account opens in a month, on the average.
INCIDENTS = 3


class Stub:
    """The clients of one Organization; counts what is asked of each service."""

    def __init__(self, size: int) -> None:
        self.inputs = mixed_status_inputs(size)
        self.calls: Counter[str] = Counter()
        self.member = read_template(ROOT / "templates" / "member.yaml")
        self._items = self._kept()
        self._below: dict[str, list[Account]] = defaultdict(list)
        for one in self.inputs.organization.accounts.values():
            self._below[one.unit].append(one)

    def client(self, service: str, _account: str) -> Any:
        return Client(self, service)

    def answer(self, service: str, operation: str, asked: dict[str, Any]) -> Iterator[Any]:
        """The pages of one question."""
        for page in getattr(self, f"_{operation}")(asked):
            self.calls[service] += 1
            yield page

    def _describe_organization(self, _: Any) -> Iterator[Any]:
        found = self.inputs.organization
        about = {"Id": found.id, "MasterAccountId": found.management, "FeatureSet": "ALL"}
        yield {"Organization": about}

    def _list_roots(self, _: Any) -> Iterator[Any]:
        yield {"Roots": [{"Id": self.inputs.organization.root, "Name": "Root"}]}

    def _list_organizational_units_for_parent(self, asked: Any) -> Iterator[Any]:
        rows = [
            {"Id": unit.id, "Name": unit.name}
            for unit in self.inputs.organization.units.values()
            if unit.parent == asked["ParentId"]
        ]
        yield from pages("OrganizationalUnits", rows, LISTED)

    def _list_accounts_for_parent(self, asked: Any) -> Iterator[Any]:
        rows = [
            {"Id": one.id, "Name": one.name, "Email": one.email, "Status": one.status}
            for one in self._below[asked["ParentId"]]
        ]
        yield from pages("Accounts", rows, LISTED)

    def _list_stack_sets(self, _: Any) -> Iterator[Any]:
        yield {"Summaries": [{"StackSetName": name} for name in self.inputs.stack_sets]}

    def _describe_stack_set(self, asked: Any) -> Iterator[Any]:
        found = self.inputs.stack_sets[asked["StackSetName"]]
        rows = [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in found.parameters.items()
        ]
        about = {"Status": found.status, "TemplateBody": self.member.body, "Parameters": rows}
        yield {"StackSet": about}

    def _list_stack_set_operations(self, _: Any) -> Iterator[Any]:
        yield {"Summaries": []}

    def _list_stack_instances(self, asked: Any) -> Iterator[Any]:
        rows = [
            {
                "Account": one.account,
                "OrganizationalUnitId": one.unit,
                "Status": one.status,
                "StatusReason": one.reason,
                "StackInstanceStatus": {"DetailedStatus": one.detail},
                "DriftStatus": one.drift,
                "StackId": f"arn:aws:cloudformation:us-east-1:{one.account}:stack/StackSet-x/y",
            }
            for one in self.inputs.stack_sets[asked["StackSetName"]].instances.values()
        ]
        yield from pages("Summaries", rows, INSTANCES)

    def _describe_stacks(self, _: Any) -> Iterator[Any]:
        yield {"Stacks": [{"StackStatus": "CREATE_COMPLETE"}]}

    def _get_template(self, _: Any) -> Iterator[Any]:
        yield {"TemplateBody": self.member.body}

    def _scan(self, _: Any) -> Iterator[Any]:
        part: list[Any] = []
        held = 0
        for text in self._items:
            part.append(json.loads(text))
            held += len(text)
            if held > PAGE_BYTES:
                yield {"Items": part}
                part, held = [], 0
        yield {"Items": part}

    def _get_item(self, _: Any) -> Iterator[Any]:
        yield {"Item": {"pk": {"S": "central"}, "last_sweep": {"N": str(int(NOW))}}}

    def _kept(self) -> list[str]:
        """The items of the index, as text: as objects they would count as the product's memory."""
        items = []
        for number, (account, one) in enumerate(self.inputs.kept.heard.items()):
            assert one.beat is not None
            item = {
                "pk": {"S": f"account#{account}"},
                "last_heartbeat": {"N": str(int(one.at))},
                "beat": {"S": pack_heartbeat(one.beat)},
            }
            items.append(json.dumps(item))
            for day in range(number % (2 * INCIDENTS + 1)):
                opened = {
                    "pk": {"S": f"opened#{account}#contained#{number:08x}{day:04x}"},
                    "listed_at": {"N": str(int(NOW - day * 4 * DAY))},
                }
                items.append(json.dumps(opened))
        return items


class Client:
    """One service's client, as boto3's are called."""

    def __init__(self, stub: Stub, service: str) -> None:
        self._stub, self._service = stub, service

    def get_paginator(self, operation: str) -> Any:
        stub, service = self._stub, self._service

        class Paginator:
            def paginate(self, **asked: Any) -> Iterator[Any]:
                return stub.answer(service, operation, asked)

        return Paginator()

    def __getattr__(self, operation: str) -> Any:
        return lambda **asked: next(self._stub.answer(self._service, operation, asked))


def pages(key: str, rows: Sequence[Any], size: int) -> Iterator[dict[str, Any]]:
    """At least one page."""
    for start in range(0, max(1, len(rows)), size):
        yield {key: rows[start : start + size]}


def look_at(stub: Stub) -> int:
    """One status, with JSON and page, in this process; the page's size in bytes."""
    clients = Clients(
        caller="arn:aws:iam::111122223333:user/operator", make=stub.client, elsewhere=stub.client
    )
    inputs = read_status(stub.inputs.wanted, clients, member=stub.member, now=NOW)
    found = coverage(inputs)
    assert len(found.rows) == len(stub.inputs.organization.accounts)
    json.dumps(status_json(found, inputs))
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        write_page(page, found, inputs)
        return page.stat().st_size
