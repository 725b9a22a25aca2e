"""The notifier for unit tests: a table behind a wire that can fail, a topic that keeps mails.

One caller at a time: nothing here says anything about races (test_races.py does).
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

from handler.model.heartbeat import Heartbeat, heartbeat_detail
from handler.model.report import Disposition, Report, to_detail
from handler.notifier.main import SINGLES_SECONDS, answer_batch
from handler.notifier.messages.inbox import read_letter
from handler.notifier.messages.notice import Notice
from handler.notifier.send.publish import Central
from handler.notifier.send.sweep import Swept, sweep_all
from handler.notifier.store.rate_limit import Limits
from handler.notifier.store.table import IncidentStore

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


def detached(user: str) -> tuple[str, ...]:
    """The undo of a containment, by the user's name."""
    policy = f"arn:aws:iam::{ACCOUNT}:policy/iam-org-revoker/iam-org-revoker-deny"
    return ("aws", "iam", "detach-user-policy", f"--user-name={user}", f"--policy-arn={policy}")


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
        "method": "managed-policy",
        "mode": "enforce",
        "product_version": "0.1.0",
        "undo": (detached("mallory"),),
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


def read_notice(body: str) -> Notice:
    """The one notice in a message's body."""
    (notice,) = read_letter(body, message_id="m").notices
    return notice


def heartbeat_body(account: str = ACCOUNT, *, at: float = 0.0, **changes: Any) -> str:
    values = {"alias": "acme-dev", "product_version": "0.1.0", "mode": "enforce"} | changes
    detail = heartbeat_detail(Heartbeat(account=account, at=at, **values))
    envelope = given_envelope(detail, account=account, id=f"beat-{account}-{at}")
    return json.dumps(envelope | {"detail-type": "IAM Org Revoker Heartbeat"})


def batch(*bodies: str, sent_at: float | None = None) -> dict[str, Any]:
    sent = {} if sent_at is None else {"attributes": {"SentTimestamp": str(int(sent_at * 1000))}}
    return {"Records": [{"messageId": f"m-{n}", "body": b, **sent} for n, b in enumerate(bodies)]}


@dataclass
class Mail:
    """What each kind of subscriber gets; `time` is the responder's."""

    subject: str
    body: str
    form: dict[str, Any]
    attributes: dict[str, str]
    time: float


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
        rate_limit = arguments["Key"]["pk"]["S"].startswith("rate#")
        name = "rate" if rate_limit else "update"
        return self.wire.send(name, self.client.update_item, **arguments)

    def batch_get_item(self, **arguments: Any) -> Any:
        return self.wire.send("read", self.client.batch_get_item, **arguments)

    def scan(self, **arguments: Any) -> Any:
        return self.wire.send("scan", self.client.scan, **arguments)


class NotFoundException(ClientError):
    """As botocore raises it for a topic that is gone."""


class TopicExceptions:
    NotFoundException = NotFoundException


@dataclass
class Topic:
    wire: Wire
    clock: Callable[[], float]
    mails: list[Mail] = field(default_factory=list)
    subscriptions: tuple[str, ...] = (f"{TOPIC}:1", "PendingConfirmation")
    gone: bool = False
    exceptions = TopicExceptions

    def publish(self, **arguments: Any) -> Any:
        return self.wire.send("publish", self._publish, **arguments)

    def list_subscriptions_by_topic(self, TopicArn: str) -> Any:
        assert TopicArn == TOPIC
        if self.gone:
            raise NotFoundException({"Error": {"Code": "NotFound"}}, "ListSubscriptionsByTopic")
        return {"Subscriptions": [{"SubscriptionArn": arn} for arn in self.subscriptions]}

    def _publish(
        self,
        *,
        TopicArn: str,
        Subject: str,
        Message: str,
        MessageStructure: str,
        MessageAttributes: dict[str, Any],
    ) -> None:
        assert TopicArn == TOPIC
        assert MessageStructure == "json"
        if not (0 < len(Subject) < 100 and Subject.isascii() and Subject.isprintable()):
            raise aws_error("InvalidParameter", "Publish")
        assert len(Message.encode()) + len(json.dumps(MessageAttributes)) <= 262_144
        attributes = {name: value["StringValue"] for name, value in MessageAttributes.items()}
        forms = json.loads(Message)
        form = json.loads(forms["default"])
        self.mails.append(Mail(Subject, forms["email"], form, attributes, self.clock()))


@dataclass
class NotifierWorld:
    """The central account; `now` is its clock, which sleeping moves."""

    client: Any = field(repr=False)
    wire: Wire = field(default_factory=Wire, repr=False)
    now: float = START
    per_minute: int = 240
    invocations: int = 0
    pauses: list[float] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.table = Table(self.client, self.wire)
        self.topic = Topic(self.wire, lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def store(self) -> IncidentStore:
        self.invocations += 1
        return IncidentStore(
            client=self.table,
            table=TABLE,
            quiet_seconds=QUIET,
            owner=f"invocation-{self.invocations}",
            clock=lambda: self.now,
            sleep=self.sleep,
        )

    def central(self) -> Central:
        limits, until = Limits(per_minute=self.per_minute), self.now + SINGLES_SECONDS
        return Central(self.store(), self.topic, TOPIC, words(), limits, until)

    def deliver(self, *bodies: str, sent_at: float | None = None) -> list[str]:
        """One invocation; the ids of the messages that come again."""
        answer = answer_batch(batch(*bodies, sent_at=sent_at), self.central())
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def sweep(self) -> Swept:
        """One invocation by the schedule."""
        return sweep_all(self.central())

    def subjects(self) -> list[str]:
        return [mail.subject for mail in self.topic.mails]

    def items(self) -> dict[str, dict[str, Any]]:
        """The table's items by key, numbers as int."""
        found: list[dict[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            page = self.client.scan(TableName=TABLE, ConsistentRead=True, **start)
            found += page["Items"]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        plain = [
            {name: int(value["N"]) if "N" in value else value["S"] for name, value in item.items()}
            for item in found
        ]
        return {str(item["pk"]): item for item in plain}

    def clear(self) -> None:
        """Forget all: moto copies its whole table at each transaction."""
        for key in self.items():
            self.client.delete_item(TableName=TABLE, Key={"pk": {"S": key}})
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
    make_table(client)
    return client


def make_table(client: Any) -> None:
    """Create the incident table as the template does."""
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "due_at", "AttributeType": "N"},
            {"AttributeName": "listed_at", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
            {
                "IndexName": "listed",
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "listed_at", "KeyType": "RANGE"},
                ],
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": ["beat", "last_heartbeat", "not_reporting_since"],
                },
            },
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def new_central(client: Any) -> NotifierWorld:
    return NotifierWorld(client)


def aws_error(code: str, operation: str, **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}, **more}, operation)
