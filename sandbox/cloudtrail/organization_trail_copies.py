"""Organization trails: made by the management account, copied into every member, and what a trail
logs at all.

Members see the copy and may ask for its state; the emulator lets nobody but its owner change it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.core import patches
from sandbox.core.request_context import account_now, region_now, scope
from sandbox.core.state import Record
from sandbox.organizations.organization import Organization, accounts

CLOUDTRAIL = "ministack.services.cloudtrail"
SERVICE = "cloudtrail.amazonaws.com"
# CloudTrail User Guide, "About global service events".
GLOBAL = frozenset({"iam.amazonaws.com", "sts.amazonaws.com", "cloudfront.amazonaws.com"})

Payload = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[Payload], Answer]


def install_trail_copies(organization: Organization) -> None:
    """Check who makes organization trails, show them in members, and tell what is logged, until
    `hooks.restore`."""
    table = patches.get(CLOUDTRAIL, "_DISPATCH")
    for action in ("CreateTrail", "UpdateTrail"):
        patches.replace_entry(
            CLOUDTRAIL, "_DISPATCH", action, _checked(organization, table[action])
        )
    for action, key in (
        ("GetTrail", "Name"),
        ("GetTrailStatus", "Name"),
        ("GetEventSelectors", "TrailName"),
    ):
        answer = _by_arn(organization, table[action], key)
        patches.replace_entry(CLOUDTRAIL, "_DISPATCH", action, answer)
    describe = _with_copies(organization, table["DescribeTrails"])
    patches.replace_entry(CLOUDTRAIL, "_DISPATCH", "DescribeTrails", describe)
    organization.state.logged = _logged


def _checked(organization: Organization, plain: Handler) -> Handler:
    """CloudTrail API Reference, errors of CreateTrail."""

    def answer(payload: Payload) -> Answer:
        if not payload.get("IsOrganizationTrail"):
            return plain(payload)
        account = account_now()
        if account not in accounts(organization):
            return _refusal("OrganizationsNotInUseException", "The account is in no organization.")
        if account != organization.state.management:
            message = "Only the management account can make an organization trail."
            return _refusal("NotOrganizationMasterAccountException", message)
        if SERVICE not in organization.trusted:
            message = "CloudTrail is not trusted in the organization."
            return _refusal("CloudTrailAccessNotEnabledException", message)
        return plain(payload)

    return answer


def _with_copies(organization: Organization, plain: Handler) -> Handler:
    def answer(payload: Payload) -> Answer:
        status, headers, body = plain(payload)
        asked = payload.get("trailNameList") or []
        if status != 200 or payload.get("includeShadowTrails") is False:
            return status, headers, body
        reported = json.loads(body)
        # By its name alone nobody but the owner finds it.
        reported["trailList"] += [
            one for one in _copies(organization, plain) if not asked or one["TrailARN"] in asked
        ]
        return status, headers, json.dumps(reported).encode()

    return answer


def _by_arn(organization: Organization, plain: Handler, key: str) -> Handler:
    """A member asks by the whole ARN, which is the management account's (GetTrailStatus)."""
    describe = patches.get(CLOUDTRAIL, "_DISPATCH")["DescribeTrails"]

    def answer(payload: Payload) -> Answer:
        if payload.get(key) not in [one["TrailARN"] for one in _copies(organization, describe)]:
            return plain(payload)
        with scope(organization.state.management, region_now()):
            return plain(payload)

    return answer


def _copies(organization: Organization, describe: Handler) -> list[Payload]:
    """The organization trails that a member sees in this region; none for their owner."""
    management = organization.state.management
    if account_now() == management or account_now() not in accounts(organization):
        return []
    with scope(management, region_now()):
        trails = json.loads(describe({})[2])["trailList"]
    return [one for one in trails if one["IsOrganizationTrail"]]


def _logged(record: Record) -> bool:
    """Whether a trail logs the record's call in its account and region."""
    with scope(record["recipientAccountId"], record["awsRegion"]):
        return any(_logs(trail, record) for trail in _ask("DescribeTrails")["trailList"])


def _logs(trail: Payload, record: Record) -> bool:
    arn = trail["TrailARN"]
    if record["eventSource"] in GLOBAL and not trail["IncludeGlobalServiceEvents"]:
        return False
    if not _ask("GetTrailStatus", Name=arn)["IsLogging"]:
        return False
    return any(_selected(_ask("GetEventSelectors", TrailName=arn), record))


def _selected(reported: Payload, record: Record) -> Iterator[bool]:
    """CloudTrail User Guide, "Logging management events"."""
    read = bool(record.get("readOnly"))
    for one in reported.get("EventSelectors") or ():
        fits = one["ReadWriteType"] in ("All", "ReadOnly" if read else "WriteOnly")
        yield fits and one.get("IncludeManagementEvents", True)
    for one in reported.get("AdvancedEventSelectors") or ():
        wanted = {field["Field"]: field.get("Equals") for field in one["FieldSelectors"]}
        yield wanted.get("eventCategory") == ["Management"] and (
            wanted.get("readOnly") in (None, [str(read).lower()])
        )


def _ask(action: str, **payload: Any) -> Payload:
    reported: Payload = json.loads(patches.get(CLOUDTRAIL, "_DISPATCH")[action](payload)[2])
    return reported


def _refusal(code: str, message: str) -> Answer:
    body = json.dumps({"__type": code, "message": message}).encode()
    return 400, {"Content-Type": "application/x-amz-json-1.1"}, body
