"""An account in memory with what reconciliation and responder read: letters, rules, trails."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from handler.model.caller_proof import DIGEST_HEADER
from handler.model.heartbeat import Heartbeat, read_heartbeat
from handler.model.names import CANARY_ROLE
from handler.revoker.reconcile.reconcile import reconcile
from handler.revoker.requests.requests import responder
from tests.doubles.account import World, a_session, event
from tests.doubles.iam import ACCOUNT, Exceptions, refuse

CENTRAL = "444455556666"
RESPONDER_ARN = f"arn:aws:sts::{CENTRAL}:assumed-role/iam-org-revoker-responder/carol"


@dataclass
class MemoryQueue:
    """The dead-letter queue; a letter that was received stays hidden until `unhide`."""

    letters: dict[str, dict[str, Any]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    meta: Any = field(default_factory=lambda: SimpleNamespace(endpoint_url="https://sqs.example"))
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def put(self, body: object, *, rule: str = "", code: str = "") -> None:
        """A letter of EventBridge's where a rule is given, with its error code."""
        name = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/{rule}"
        attributes = {"RULE_ARN": {"StringValue": name}} if rule else {}
        if code:
            attributes["ERROR_CODE"] = {"StringValue": code}
        text = body if isinstance(body, str) else json.dumps(body)
        handle = str(next(self._numbers))
        self.letters[handle] = {
            "Body": text,
            "ReceiptHandle": handle,
            "MessageAttributes": attributes,
        }

    def unhide(self) -> None:
        self.hidden.clear()

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> Any:
        assert QueueUrl == f"https://sqs.example/{ACCOUNT}/iam-org-revoker-dead-letters"
        seen = len(self.letters) - len(self.hidden)
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": str(seen),
                "ApproximateNumberOfMessagesNotVisible": str(len(self.hidden)),
            }
        }

    def receive_message(self, *, MaxNumberOfMessages: int, **_: Any) -> Any:
        free = [h for h in self.letters if h not in self.hidden][:MaxNumberOfMessages]
        self.hidden |= set(free)
        return {"Messages": [self.letters[h] for h in free]} if free else {}

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> None:
        del self.letters[ReceiptHandle]
        self.hidden.discard(ReceiptHandle)


@dataclass
class MemoryRules:
    """EventBridge of the account: `states` by rule; PutEvents goes on to the world's bus."""

    world: World
    states: dict[str, str] = field(
        default_factory=lambda: {
            "iam-org-revoker-calls": "ENABLED",
            "iam-org-revoker-tamper": "ENABLED",
            "iam-org-revoker-tamper-stores": "ENABLED",
        }
    )
    exceptions = Exceptions
    meta = SimpleNamespace(endpoint_url="https://events.us-east-1.amazonaws.com")

    def describe_rule(self, *, Name: str) -> dict[str, str]:
        if Name not in self.states:
            raise refuse("ResourceNotFoundException", "DescribeRule")
        return {"State": self.states[Name]}

    def put_events(self, **arguments: Any) -> Any:
        return self.world.bus.put_events(**arguments)


@dataclass
class MemoryTrails:
    """CloudTrail: the world's event history, and trails by ARN with whether each logs."""

    world: World
    trails: dict[str, bool] = field(default_factory=dict)
    shape: dict[str, Any] = field(
        default_factory=lambda: {"IncludeGlobalServiceEvents": True, "IsMultiRegionTrail": True}
    )
    hidden: bool = False
    exceptions = Exceptions

    def describe_trails(self, *, includeShadowTrails: bool) -> Any:
        assert includeShadowTrails
        if self.hidden:
            raise refuse("AccessDeniedException", "DescribeTrails")
        return {"trailList": [{"TrailARN": arn, **self.shape} for arn in self.trails]}

    def get_trail_status(self, *, Name: str) -> Any:
        return {"IsLogging": self.trails[Name]}

    def get_paginator(self, operation: str) -> MemoryTrails:
        assert operation == "lookup_events"
        return self

    def paginate(
        self,
        *,
        StartTime: float,
        EndTime: float | None = None,
        PaginationConfig: dict[str, int],
        LookupAttributes: list[dict[str, str]],
    ) -> Iterator[dict[str, Any]]:
        """Newest first, within the times, so many at most."""
        [page] = self.world.trail.paginate(LookupAttributes=LookupAttributes)
        until = self.world.now if EndTime is None else EndTime
        events = [e for e in page["Events"] if StartTime <= _seconds(e) <= until]
        newest = sorted(events, key=_seconds, reverse=True)
        yield {"Events": newest[: PaginationConfig["MaxItems"]]}


def _seconds(event: dict[str, Any]) -> float:
    time: str = json.loads(event["CloudTrailEvent"])["eventTime"]
    return datetime.fromisoformat(time).timestamp()


class Rounds(World):
    """The world with letters, rules, trails, a canary; `signer` is whom STS says a proof is of."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = MemoryQueue()
        self.rules = MemoryRules(self)
        self.trails = MemoryTrails(self, {"arn:aws:cloudtrail:us-east-1:1:trail/org": True})
        self.iam.add_role(CANARY_ROLE)
        self.signer = RESPONDER_ARN

    def clients(self, service: str, region: str) -> Any:
        ours = {"sqs": self.queue, "events": self.rules, "cloudtrail": self.trails}
        return ours[service] if service in ours else super().clients(service, region)

    def reconcile(self, **variables: str) -> Heartbeat:
        return read_heartbeat(reconcile(self.tools(**variables)))

    def later(self, seconds: float) -> Rounds:
        self.now += seconds
        return self

    def responder(self, what: str, *, mode: str = "enforce", **request: Any) -> dict[str, Any]:
        proof = {"Authorization": f"AWS4-HMAC-SHA256 SignedHeaders=host;{DIGEST_HEADER}"}
        body = {"responder": what, "proof": proof, **request}
        return responder(
            body, self.tools(MODE=mode), lambda _url, _headers: f"<Arn>{self.signer}</Arn>"
        )

    def heartbeats(self) -> list[Heartbeat]:
        return [
            read_heartbeat(json.loads(entry["Detail"]))
            for entry in self.bus.entries
            if entry["DetailType"] == "IAM Org Revoker Heartbeat"
        ]


def canary_event(nonce: str, **detail: Any) -> dict[str, Any]:
    """Our own TagRole call on the canary, as the canary's rule delivers it."""
    ours = a_session("iam-org-revoker", "AROAEXAMPLEOURS", path="/iam-org-revoker/")
    parameters = {
        "roleName": CANARY_ROLE,
        "tags": [{"key": "iam-org-revoker-self-test", "value": nonce}],
    }
    return event(ours, "TagRole", **{"requestParameters": parameters} | detail)
