"""Events and who may put them on a bus: PutEvents, bus policies, PutPermission.

Decides and hands on; finding rules and delivering to targets is the router's.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.core import patches
from sandbox.core.service_client import Arn
from sandbox.core.state import State

BRIDGE = "ministack.services.eventbridge"
EVALUATOR = "ministack.core.iam_evaluator"
DETAIL_TYPES = {
    "AwsApiCall": "AWS API Call via CloudTrail",
    "AwsConsoleSignIn": "AWS Console Signin via CloudTrail",
    "AwsConsoleAction": "AWS Console Action via CloudTrail",
    "AwsServiceEvent": "AWS Service Event via CloudTrail",
}
MAX_ENTRIES = 10

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Event:
    """An event on a bus; `hops` counts the buses of other accounts or rules it came through."""

    bus_arn: str
    envelope: dict[str, Any]
    hops: int = 0


@dataclass(frozen=True)
class Sender:
    """Who puts an event on a bus; `rule_arn` when a rule forwards it."""

    arn: str
    account: str
    rule_arn: str = ""


def event_of_record(record: dict[str, Any]) -> Event:
    """Wrap a CloudTrail record as EventBridge does, for its account's default bus."""
    account, region = record["recipientAccountId"], record["awsRegion"]
    service = record["eventSource"].partition(".")[0]
    return Event(
        bus_arn=bus_arn("default", account=account, region=region),
        envelope={
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": DETAIL_TYPES.get(
                record.get("eventType", ""), DETAIL_TYPES["AwsApiCall"]
            ),
            "source": f"aws.{service}",
            "account": account,
            "time": record["eventTime"],
            "region": region,
            "resources": [],
            "detail": json.loads(json.dumps(record)),
        },
    )


def bus_arn(name: str, *, account: str, region: str) -> str:
    return (
        name if name.startswith("arn:") else f"arn:aws:events:{region}:{account}:event-bus/{name}"
    )


def bus_exists(arn: str) -> bool:
    """Whether there is a bus; every account has its default one."""
    bus = Arn.parse(arn)
    name = bus.resource.partition("/")[2]
    buses = patches.get(BRIDGE, "_event_buses")
    return name == "default" or buses.get_scoped(bus.account, bus.region, name) is not None


def admitted(state: State, arn: str, *, sender: Sender, sources: set[str], kinds: set[str]) -> bool:
    """Whether the policy of a bus lets a sender put events of these sources and detail-types.

    Another account needs an Allow; in the bus's own account the identity policy is enough
    (checked before), unless the bus policy denies.
    """
    keys: dict[str, Any] = {"events:eventbusinvocation": str(bool(sender.rule_arn)).lower()}
    if not sender.rule_arn or state.unknowns.forwarded_events_carry_source:
        keys |= {"events:source": sorted(sources), "events:detail-type": sorted(kinds)}
    if sender.rule_arn:
        keys |= {"aws:sourcearn": sender.rule_arn, "aws:sourceaccount": sender.account}
    context = patches.get(EVALUATOR, "EvalContext")(
        principal_arn=sender.arn,
        principal_type="AssumedRole" if ":assumed-role/" in sender.arn else "User",
        principal_account=sender.account,
        action="events:PutEvents",
        resource_arn=arn,
        region=Arn.parse(arn).region,
        service_context=keys,
    )
    policy = state.bus_policies.get(arn)
    decision = patches.get(EVALUATOR, "evaluate_resource_policy")(policy, context).decision
    if sender.account == Arn.parse(arn).account:
        return bool(decision != "Deny")
    return bool(decision == "Allow")


def install(state: State, accept: Callable[[Event], None]) -> None:
    """Take over PutEvents and the bus permissions of the emulator."""

    def put_events(data: dict[str, Any], allow_aws_source: bool = False) -> Answer:
        entries = data.get("Entries", [])
        if not 1 <= len(entries) <= MAX_ENTRIES:
            problem = "Member must have length between 1 and 10"
            return _json(400, {"__type": "ValidationException", "message": problem})
        results = [
            _put(state, accept, entry, beside=entries, from_aws=allow_aws_source)
            for entry in entries
        ]
        failed = sum("ErrorCode" in result for result in results)
        return _json(200, {"FailedEntryCount": failed, "Entries": results})

    patches.replace(BRIDGE, "_put_events", put_events)
    _install_permissions(state)


def _put(
    state: State,
    accept: Callable[[Event], None],
    entry: dict[str, Any],
    *,
    beside: list[dict[str, Any]],
    from_aws: bool,
) -> dict[str, str]:
    account = patches.get("ministack.core.responses", "get_account_id")()
    region = patches.get("ministack.core.responses", "get_region")()
    arn = bus_arn(entry.get("EventBusName") or "default", account=account, region=region)
    source = entry.get("Source") or ""
    if not source or not entry.get("DetailType") or not isinstance(entry.get("Detail"), str):
        return _entry_error("InvalidArgument", "Source, DetailType and Detail are required.")
    if source.startswith("aws.") and not from_aws:
        return _entry_error("NotAuthorizedForSourceException", "Not authorized for the source.")
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        return _entry_error("MalformedDetail", "Detail is malformed.")
    envelope = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": entry["DetailType"],
        "source": source,
        "account": account,
        "time": _time(entry.get("Time") or state.now()),
        "region": region,
        "resources": entry.get("Resources", []),
        "detail": detail,
    }
    sender = Sender(arn=patches.get(EVALUATOR, "caller_arn")(), account=account)
    # The keys of a request have a value for each entry that it puts on this bus.
    same = [one for one in beside if one.get("EventBusName") == entry.get("EventBusName")]
    sources, kinds = ({str(one.get(key)) for one in same} for key in ("Source", "DetailType"))
    if not from_aws and not admitted(state, arn, sender=sender, sources=sources, kinds=kinds):
        refusal = (
            f"User: {sender.arn} is not authorized to perform: events:PutEvents on resource: {arn}"
        )
        return _entry_error("AccessDeniedException", refusal)
    # AWS answers 200 for a bus that does not exist, and drops the event.
    if bus_exists(arn):
        hops = int(Arn.parse(arn).account != account)
        accept(Event(bus_arn=arn, envelope=envelope, hops=hops))
    return {"EventId": str(envelope["id"])}


def _install_permissions(state: State) -> None:
    def here(data: dict[str, Any], key: str = "EventBusName") -> str:
        responses = "ministack.core.responses"
        return bus_arn(
            data.get(key) or "default",
            account=patches.get(responses, "get_account_id")(),
            region=patches.get(responses, "get_region")(),
        )

    def put_permission(data: dict[str, Any]) -> Answer:
        if data.get("Policy"):
            state.bus_policies[here(data)] = json.loads(data["Policy"])
            return _json(200, {})
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Principal": {"AWS": data["Principal"]} if data["Principal"] != "*" else "*",
            "Action": data["Action"],
            "Resource": here(data),
        }
        if condition := data.get("Condition"):
            statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
        state.set_bus_statement(here(data), data["StatementId"], statement)
        return _json(200, {})

    def remove_permission(data: dict[str, Any]) -> Answer:
        if data.get("RemoveAllPermissions"):
            state.bus_policies.pop(here(data), None)
        else:
            state.set_bus_statement(here(data), data["StatementId"], None)
        return _json(200, {})

    def describe(data: dict[str, Any]) -> Answer:
        status, _, body = original(data)
        policy = state.bus_policies.get(here(data, "Name"))
        said = json.loads(body) | ({"Policy": json.dumps(policy)} if policy else {})
        return _json(status, said)

    patches.replace(BRIDGE, "_put_permission", put_permission)
    patches.replace(BRIDGE, "_remove_permission", remove_permission)
    original = patches.replace(BRIDGE, "_describe_event_bus", describe)


def _entry_error(code: str, message: str) -> dict[str, str]:
    return {"ErrorCode": code, "ErrorMessage": message}


def _time(given: float) -> str:
    return datetime.fromtimestamp(given, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(status: int, answer: dict[str, Any]) -> Answer:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()
