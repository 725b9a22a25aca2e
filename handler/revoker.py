"""The Lambda of a member account: read a call, decide, contain, tell the centre. Keeps no state.

Whatever cannot be done is raised: Lambda retries twice and then hands the event to the dead-letter
queue. Everything here may run any number of times for one event.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from handler.containment import contain
from handler.names import REPORT_DETAIL_TYPE, REPORT_SOURCE, REVOKER, iam_arn
from handler.report import Report, to_detail
from handler.rungs import Target
from handler.settings import Settings, read_settings
from handler.telling import report_of
from handler.trail import Call, Kind, read_event
from handler.verdict import Action, Standing, Verdict, decide, settled

Clients = Callable[[str, str], Any]


@dataclass(frozen=True)
class Here:
    """Where the function runs."""

    partition: str
    region: str
    account: str

    @property
    def role_arn(self) -> str:
        return iam_arn(partition=self.partition, account=self.account, kind="role", name=REVOKER)


class ReportRefused(Exception):
    """The central bus did not take a report."""


class ForeignEvent(Exception):
    """An event of another account: nothing that EventBridge could have sent here."""


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, str]:
    """Entry point; `event` is an EventBridge event of an IAM call. Returns action and reason."""
    arn = context.invoked_function_arn.split(":")
    verdict = handle(
        event,
        here=Here(partition=arn[1], region=arn[3], account=arn[4]),
        settings=read_settings(os.environ),
        clients=_client,
    )
    said = {"action": verdict.action.value, "reason": verdict.reason.value}
    print(json.dumps({"eventId": read_event(event).event_id, **said}))
    return said


def handle(
    event: Mapping[str, Any], *, here: Here, settings: Settings, clients: Clients
) -> Verdict:
    """Decide one event and act on it; `clients(service, region)` makes a client when needed."""
    call = read_event(event)
    if call.account and call.account != here.account:
        raise ForeignEvent(f"event of account {call.account} reached account {here.account}")
    verdict, standing = _judge(call, here=here, settings=settings, clients=clients)
    if verdict.action is Action.IGNORE:
        return verdict
    containment = None
    if verdict.action is Action.CONTAIN:
        containment = contain(
            clients("iam", here.region), _target(call, here), inline=settings.inline_deny
        )
    report = report_of(
        call=call,
        account=here.account,
        verdict=verdict,
        standing=standing,
        containment=containment,
        settings=settings,
        alias=_alias(clients, here.region),
    )
    _send(report, settings=settings, clients=clients)
    return verdict


def _judge(
    call: Call, *, here: Here, settings: Settings, clients: Clients
) -> tuple[Verdict, Standing]:
    early = settled(call, settings, own_role_arn=here.role_arn)
    if early is not None:
        return early, Standing()
    standing = Standing()
    if call.caller.kind is Kind.USER:
        standing = _standing(clients("iam", here.region), call, settings)
    return decide(call, standing, settings, own_role_arn=here.role_arn), standing


def _standing(iam: Any, call: Call, settings: Settings) -> Standing:
    """Is the caller in the administrators' group now? By id: the name may be another's by now."""
    pages = iam.get_paginator("get_group").paginate(GroupName=settings.admin_group)
    try:
        member = any(_is_caller(user, call) for page in pages for user in page["Users"])
    except iam.exceptions.NoSuchEntityException:
        return Standing(group_missing=True)
    return Standing(administrator=member)


def _is_caller(user: Mapping[str, Any], call: Call) -> bool:
    if call.caller.id:
        return bool(user["UserId"] == call.caller.id)
    return bool(user["UserName"] == call.caller.name)


def _target(call: Call, here: Here) -> Target:
    return Target(
        kind=call.caller.kind,
        name=call.caller.name,
        id=call.caller.id,
        account=here.account,
        partition=here.partition,
    )


def _alias(clients: Clients, region: str) -> str:
    """The account's alias, empty where there is none or a policy of theirs hides it from us."""
    iam = clients("iam", region)
    try:
        aliases = iam.list_account_aliases()["AccountAliases"]
    except iam.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return ""
    return str(aliases[0]) if aliases else ""


def _send(report: Report, *, settings: Settings, clients: Clients) -> None:
    region = settings.central_bus_arn.split(":")[3]
    answer = clients("events", region).put_events(
        Entries=[
            {
                "Source": REPORT_SOURCE,
                "DetailType": REPORT_DETAIL_TYPE,
                "Detail": json.dumps(to_detail(report)),
                "EventBusName": settings.central_bus_arn,
            }
        ]
    )
    if answer["FailedEntryCount"]:
        entry = answer["Entries"][0]
        raise ReportRefused(f"{entry.get('ErrorCode')}: {entry.get('ErrorMessage')}")


@cache
def _client(service: str, region: str) -> Any:
    # botocore alone: importing boto3 costs the cold start and gives nothing here.
    from botocore.config import Config
    from botocore.session import get_session

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 6}, connect_timeout=5, read_timeout=10
    )
    return get_session().create_client(service, region_name=region, config=config)
