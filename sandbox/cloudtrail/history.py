"""CloudTrail's event history of each account and region, read from the sandbox's records.

LookupEvents as the CloudTrail API Reference has it: one attribute, newest first, 50 a page. Its
two calls a second are not enforced, only counted. What `Resources` holds is read off published
records, not documented: `unknowns.history_finds_users` says whether IAM users are among them.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.core import patches
from sandbox.core.request_context import account_now, region_now
from sandbox.core.state import Record, State

CLOUDTRAIL = "ministack.services.cloudtrail"
PAGE = 50
KEYS = (
    "EventId",
    "EventName",
    "ReadOnly",
    "Username",
    "ResourceType",
    "ResourceName",
    "EventSource",
    "AccessKeyId",
)
USER = "AWS::IAM::User"
KINDS = {
    "userName": USER,
    "newUserName": USER,
    "roleName": "AWS::IAM::Role",
    "groupName": "AWS::IAM::Group",
    "newGroupName": "AWS::IAM::Group",
    "policyArn": "AWS::IAM::Policy",
    "accessKeyId": "AWS::IAM::AccessKey",
    "instanceProfileName": "AWS::IAM::InstanceProfile",
    "serialNumber": "AWS::IAM::MfaDevice",
    "sAMLProviderArn": "AWS::IAM::SAMLProvider",
    "openIDConnectProviderArn": "AWS::IAM::OpenIDConnectProvider",
}
ANSWERED = {
    "user": (USER, ("arn", "userId", "userName")),
    "role": ("AWS::IAM::Role", ("arn", "roleId", "roleName")),
    "group": ("AWS::IAM::Group", ("arn", "groupId", "groupName")),
    "policy": ("AWS::IAM::Policy", ("arn", "policyId", "policyName")),
    "accessKey": ("AWS::IAM::AccessKey", ("accessKeyId",)),
}

Payload = Mapping[str, Any]
Answer = tuple[int, dict[str, str], bytes]


class Refused(Exception):
    """CloudTrail says no: `code` as AWS names it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def install(state: State) -> None:
    """Answer LookupEvents, until the hooks are restored."""

    def look_up(payload: Payload) -> Answer:
        account = account_now()
        state.history_calls.append((account, state.now()))
        try:
            return _json(200, _page(payload, _wanted(state, payload, account, region_now())))
        except Refused as refusal:
            return _json(400, {"__type": refusal.code, "message": refusal.message})

    patches.replace_entry(CLOUDTRAIL, "_DISPATCH", "LookupEvents", look_up)


def _wanted(state: State, payload: Payload, account: str, region: str) -> list[dict[str, Any]]:
    attributes = payload.get("LookupAttributes") or []
    if len(attributes) > 1 or any(one["AttributeKey"] not in KEYS for one in attributes):
        raise Refused("InvalidLookupAttributesException", "One known lookup attribute, please.")
    start, end = payload.get("StartTime"), payload.get("EndTime")
    if start is not None and end is not None and start > end:
        raise Refused("InvalidTimeRangeException", "The start is after the end.")
    newest = state.now() - state.history_lag
    found: list[tuple[float, int, dict[str, Any]]] = []
    for record in list(state.records):
        happened = _epoch(record)
        here = (record.get("recipientAccountId"), record.get("awsRegion")) == (account, region)
        if not here or state.reported.get(record.get("eventID", ""), happened) > newest:
            continue
        if happened < (start or 0) or (end is not None and happened > end):
            continue
        event = _event(record, happened, users=state.unknowns.history_finds_users)
        if all(_matches(event, one["AttributeKey"], one["AttributeValue"]) for one in attributes):
            found.append((happened, len(found), event))
    return [event for _, _, event in sorted(found, key=lambda one: one[:2], reverse=True)]


def _event(record: Record, happened: float, *, users: bool) -> dict[str, Any]:
    """`users`: whether an IAM user is a resource of the call."""
    identity = record.get("userIdentity") or {}
    event = {
        "EventId": record.get("eventID"),
        "EventName": record.get("eventName"),
        "ReadOnly": str(record.get("readOnly", False)).lower(),
        "EventTime": happened,
        "EventSource": record.get("eventSource"),
        "Username": _user_name(identity),
        "AccessKeyId": identity.get("accessKeyId"),
        "Resources": [
            {"ResourceType": kind, "ResourceName": name}
            for kind, name in _resources(record)
            if users or kind != USER
        ],
        "CloudTrailEvent": json.dumps(record),
    }
    return {key: value for key, value in event.items() if value is not None}


def _user_name(identity: Mapping[str, Any]) -> str | None:
    """Of a session of a role the session's name; of the root user `root`."""
    if identity.get("type") == "Root":
        return "root"
    name = identity.get("userName") or str(identity.get("arn", "")).rpartition("/")[2]
    return str(name) or None


def _resources(record: Record) -> list[tuple[str, str]]:
    found = [
        (KINDS[key], str(value))
        for key, value in (record.get("requestParameters") or {}).items()
        if key in KINDS and value
    ]
    for key, answered in (record.get("responseElements") or {}).items():
        kind, names = ANSWERED.get(key, ("", ()))
        if isinstance(answered, dict):
            found += [(kind, str(answered[name])) for name in names if answered.get(name)]
    return sorted(set(found))


def _matches(event: dict[str, Any], key: str, value: str) -> bool:
    if key in ("ResourceName", "ResourceType"):
        return any(one[key] == value for one in event["Resources"])
    return bool(event.get(key) == value)


def _page(payload: Payload, events: list[dict[str, Any]]) -> dict[str, Any]:
    size = int(payload.get("MaxResults") or PAGE)
    if not 1 <= size <= PAGE:
        raise Refused("InvalidMaxResultsException", f"MaxResults is 1 to {PAGE}.")
    start = _offset(payload["NextToken"]) if payload.get("NextToken") else 0
    page: dict[str, Any] = {"Events": events[start : start + size]}
    if start + size < len(events):
        page["NextToken"] = base64.b64encode(f"history:{start + size}".encode()).decode()
    return page


def _offset(token: str) -> int:
    try:
        word, _, number = base64.b64decode(token, validate=True).decode().partition(":")
        return int(number) if word == "history" else _bad_token()
    except (binascii.Error, ValueError):
        return _bad_token()


def _bad_token() -> int:
    raise Refused("InvalidNextTokenException", "The NextToken is not one of ours.")


def _epoch(record: Record) -> float:
    then = datetime.strptime(record["eventTime"], "%Y-%m-%dT%H:%M:%SZ")
    return then.replace(tzinfo=UTC).timestamp()


def _json(status: int, answer: dict[str, Any]) -> Answer:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()
