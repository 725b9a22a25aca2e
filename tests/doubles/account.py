"""One member account in memory: its IAM, table, event history, and the bus it reports to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from handler.model.cloudtrail import read_event
from handler.model.report import Report, from_detail
from handler.model.settings import Settings, read_settings
from handler.revoker.state.context import Here, Tools
from handler.revoker.state.ledger import read_group, take_baseline
from handler.revoker.state.table import Table
from tests.doubles.iam import ACCOUNT, MemoryIam
from tests.doubles.table import MemoryDynamo

HERE = Here(partition="aws", region="us-east-1", account=ACCOUNT)
BUS = "arn:aws:events:eu-west-1:444455556666:event-bus/iam-org-revoker"
# 2026-11-22T10:00:00Z, when the tests' calls happen unless they say otherwise.
ACCOMPLICE = "AIDAEXAMPLEPUPPET"
NOON = 1_795_341_600.0


class MemoryBus:
    """The central bus as PutEvents shows it; `refuse` makes it answer a failed entry."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.refuse = ""

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        if self.refuse:
            entry = {"ErrorCode": self.refuse, "ErrorMessage": "not allowed"}
            return {"FailedEntryCount": 1, "Entries": [entry]}
        self.entries += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}

    def reports(self) -> list[Report]:
        kinds = ("IAM Org Revoker Report",)
        return [
            from_detail(json.loads(entry["Detail"]))
            for entry in self.entries
            if entry["DetailType"] in kinds
        ]


@dataclass
class MemoryTrail:
    """CloudTrail's event history, newest first; not by ResourceName, as in history.py."""

    records: list[dict[str, Any]] = field(default_factory=list)
    looked: int = 0

    def get_paginator(self, operation: str) -> MemoryTrail:
        assert operation == "lookup_events"
        return self

    def paginate(
        self,
        *,
        LookupAttributes: list[dict[str, str]],
        PaginationConfig: Mapping[str, int] | None = None,
        **rest: Any,
    ) -> Iterator[dict[str, Any]]:
        self.looked += 1
        [attribute] = LookupAttributes
        found = [r for r in self.records if _answers(r, attribute)]
        newest = found[::-1][: (PaginationConfig or {}).get("MaxItems")]
        yield {"Events": [{"CloudTrailEvent": json.dumps(r)} for r in newest]}


def _answers(record: dict[str, Any], attribute: dict[str, str]) -> bool:
    value = attribute["AttributeValue"]
    match attribute["AttributeKey"]:
        case "Username":
            return bool(record["userIdentity"].get("userName") == value)
        case "AccessKeyId":
            return bool(record["userIdentity"].get("accessKeyId") == value)
        case "EventSource":
            return bool(record["eventSource"] == value)
        case "EventName":
            return bool(record["eventName"] == value)
    raise AssertionError(f"no sure answer to {attribute}")


def in_turn(one: Callable[[], Any], other: Callable[[], Any]) -> tuple[Any, Any]:
    """Both, though the first fails: as two threads do. A process that dies does neither more."""
    try:
        first = one()
    except (BotoCoreError, ClientError):
        other()
        raise
    return first, other()


class World:
    """One account with everything that the revoker touches; `now` is its clock."""

    def __init__(self) -> None:
        self.iam = MemoryIam()
        self.bus = MemoryBus()
        self.trail = MemoryTrail()
        self.dynamo = MemoryDynamo()
        self.table = Table(self.dynamo, "state")
        self.asked: list[tuple[str, str]] = []
        self.met: set[str] = set()
        self.now = NOON + 10
        self.iam.now = NOON - 86_400
        self.iam.add_user("standing", groups=("Administrators",))

    def clients(self, service: str, region: str) -> Any:
        self.asked.append((service, region))
        return {"iam": self.iam, "events": self.bus, "cloudtrail": self.trail}[service]

    def tools(self, **variables: str) -> Tools:
        return Tools(
            here=HERE,
            settings=settings(**variables),
            clients=self.clients,
            table=self.table,
            together=in_turn,
            met=self.met,
            now=self.now,
            clock=lambda: self.now,
        )

    def installed(self, **variables: str) -> World:
        """Take the baseline an hour before noon, as the first reconciliation does."""
        tools = self.tools(**variables)
        live = read_group(self.iam, tools.settings.admin_group)
        take_baseline(self.table, live, None, group=tools.settings.admin_group, now=NOON - 3_600)
        self.iam.calls.clear()
        self.dynamo.reads = self.dynamo.writes = 0
        return self

    def item(self, key: str) -> dict[str, Any]:
        return self.table.read([key]).get(key, {})


def settings(**variables: str) -> Settings:
    fixed = {"MODE": "enforce", "CENTRAL_BUS_ARN": BUS, "MISSING_GROUP": "treat-as-empty"}
    return read_settings(fixed | variables)


def event(identity: dict[str, Any], name: str = "CreateUser", **detail: Any) -> dict[str, Any]:
    """An EventBridge event of an IAM call, now at noon; `detail` overrides the record's fields."""
    return {
        "account": ACCOUNT,
        "source": "aws.iam",
        "detail": {
            "eventID": "00000000-0000-0000-0000-000000000001",
            "eventName": name,
            "eventSource": "iam.amazonaws.com",
            "eventTime": "2026-11-22T10:00:00Z",
            "awsRegion": "us-east-1",
            "sourceIPAddress": "192.0.2.1",
            "recipientAccountId": ACCOUNT,
            "requestParameters": {"userName": "accomplice"},
            "responseElements": {"user": {"userName": "accomplice", "userId": ACCOMPLICE}},
            "userIdentity": identity,
        }
        | detail,
    }


def call(identity: dict[str, Any], name: str = "CreateUser", **detail: Any) -> Any:
    return read_event(event(identity, name, **detail))


def a_user(name: str, id: str, *, key: str = "AKIAEXAMPLE") -> dict[str, Any]:
    return {
        "type": "IAMUser",
        "accountId": ACCOUNT,
        "principalId": id,
        "userName": name,
        "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "accessKeyId": key,
    }


def a_session(role: str, id: str, *, path: str = "/team/") -> dict[str, Any]:
    issuer = {
        "type": "Role",
        "principalId": id,
        "arn": f"arn:aws:iam::{ACCOUNT}:role{path}{role}",
        "accountId": ACCOUNT,
        "userName": role,
    }
    return {
        "type": "AssumedRole",
        "accountId": ACCOUNT,
        "principalId": f"{id}:someone",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/someone",
        "sessionContext": {"sessionIssuer": issuer},
    }
