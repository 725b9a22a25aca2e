"""The centre for unit tests: moto's table behind a wire that can fail, a topic that keeps mails.

One caller at a time: moto's table says nothing about races (the sandbox's tests do).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import jinja2
from botocore.exceptions import ClientError

from handler.incidents import IncidentStore
from handler.notifier import Centre, answer_batch
from handler.report import Disposition, Report, to_detail

TEMPLATES = Path(__file__).parents[2] / "templates" / "mail"
ACCOUNT = "111122223333"
TABLE = "iam-org-revoker-incidents"
TOPIC = "arn:aws:sns:us-east-1:444455556666:iam-org-revoker-incidents"
START = 1_790_000_000.0
QUIET = 86_400
VISIBILITY = 180


class Died(BaseException):
    """The end of the process: nothing of ours may catch it."""


@cache
def words(
    team: str = "Example Security", runbook: str = "https://example.com/iam"
) -> dict[str, str]:
    """The mail words as the generator renders them."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined
    )
    return {
        path.name.removesuffix(".txt.j2"): environment.get_template(path.name).render(
            team=team, runbook=runbook
        )
        for path in sorted(TEMPLATES.glob("[!_]*.txt.j2"))
    }


def given_report(event: str = "e-1", **changes: Any) -> Report:
    values: dict[str, Any] = {
        "event_id": event,
        "account": ACCOUNT,
        "alias": "acme-dev",
        "region": "us-east-1",
        "disposition": Disposition.CONTAINED,
        "reason": "not-an-administrator",
        "principal_kind": "user",
        "principal_name": "mallory",
        "principal_arn": f"arn:aws:iam::{ACCOUNT}:user/mallory",
        "principal_id": "AIDAEXAMPLEMALLORY",
        "access_key": "AKIAEXAMPLEMALLORY",
        "service": "iam.amazonaws.com",
        "call": "CreateAccessKey",
        "call_time": "2026-09-21T13:46:40Z",
        "source_ip": "192.0.2.1",
        "user_agent": "aws-cli/2.15.0 md/awscrt#0.19.19",
        "request": '{"userName": "admin"}',
        "rung": "managed-policy",
        "mode": "enforce",
        "product_version": "0.1.0",
        "undo": (
            (
                "aws",
                "iam",
                "detach-user-policy",
                "--user-name=mallory",
                f"--policy-arn=arn:aws:iam::{ACCOUNT}:policy/iam-org-revoker/iam-org-revoker-deny",
            ),
        ),
    }
    return Report(**(values | changes))


def given_envelope(detail: Any, **changes: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "envelope-1",
        "source": "iam-org-revoker",
        "detail-type": "IAM Org Revoker Report",
        "account": ACCOUNT,
        "time": "2026-09-21T13:46:42Z",
        "region": "us-east-1",
        "resources": [],
        "detail": detail,
    } | changes


def report_body(event: str = "e-1", **changes: Any) -> str:
    return json.dumps(given_envelope(to_detail(given_report(event, **changes))))


def batch(*bodies: str) -> dict[str, Any]:
    return {"Records": [{"messageId": f"m-{n}", "body": b} for n, b in enumerate(bodies)]}


@dataclass
class Mail:
    subject: str
    body: str
    attributes: dict[str, str]


@dataclass
class Wire:
    """Every AWS call passes here in order; `before` and `after` may raise."""

    before: Callable[[int, str], None] = lambda number, name: None
    after: Callable[[int, str], None] = lambda number, name: None
    calls: list[str] = field(default_factory=list)

    def send(self, name: str, call: Callable[..., Any], **arguments: Any) -> Any:
        number = len(self.calls)
        self.calls.append(name)
        self.before(number, name)
        try:
            return call(**arguments)
        finally:
            self.after(number, name)


@dataclass
class Table:
    client: Any
    wire: Wire

    @property
    def exceptions(self) -> Any:
        return self.client.exceptions

    def transact_write_items(self, **arguments: Any) -> Any:
        return self.wire.send("transact", self.client.transact_write_items, **arguments)

    def update_item(self, **arguments: Any) -> Any:
        return self.wire.send("update", self.client.update_item, **arguments)


@dataclass
class Topic:
    wire: Wire
    mails: list[Mail] = field(default_factory=list)

    def publish(self, **arguments: Any) -> Any:
        return self.wire.send("publish", self._publish, **arguments)

    def _publish(
        self, *, TopicArn: str, Subject: str, Message: str, MessageAttributes: dict[str, Any]
    ) -> None:
        assert TopicArn == TOPIC
        if not (0 < len(Subject) < 100 and Subject.isascii() and Subject.isprintable()):
            raise aws_error("InvalidParameter", "Publish")
        assert len(Message.encode()) <= 262_144
        attributes = {name: value["StringValue"] for name, value in MessageAttributes.items()}
        self.mails.append(Mail(Subject, Message, attributes))


@dataclass
class Desk:
    """The central account; `now` is its clock."""

    table: Table
    topic: Topic
    wire: Wire
    now: float = START
    invocations: int = 0
    pauses: list[float] = field(default_factory=list)

    def store(self) -> IncidentStore:
        self.invocations += 1
        return IncidentStore(
            client=self.table,
            table=TABLE,
            quiet_seconds=QUIET,
            owner=f"invocation-{self.invocations}",
            now=self.now,
            sleep=self.pauses.append,
        )

    def deliver(self, *bodies: str) -> list[str]:
        """One invocation; the ids of the messages that come again."""
        answer = answer_batch(batch(*bodies), Centre(self.store(), self.topic, TOPIC, words()))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def items(self) -> dict[str, dict[str, Any]]:
        """The table's items by key, numbers as int."""
        found = self.table.client.scan(TableName=TABLE, ConsistentRead=True)["Items"]
        plain = [
            {name: int(value["N"]) if "N" in value else value["S"] for name, value in item.items()}
            for item in found
        ]
        return {item["pk"]: item for item in plain}

    def clear(self) -> None:
        """Forget all: moto copies its whole table at each transaction."""
        for key in self.items():
            self.table.client.delete_item(TableName=TABLE, Key={"pk": {"S": key}})
        self.topic.mails.clear()
        self.wire.calls.clear()


def new_client() -> Any:
    """A DynamoDB client with the incident table; call it under moto's mock_aws."""
    client = boto3.client(
        "dynamodb",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


def new_desk(client: Any) -> Desk:
    wire = Wire()
    return Desk(Table(client, wire), Topic(wire), wire)


def aws_error(code: str, operation: str, **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}, **more}, operation)
