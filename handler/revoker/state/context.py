"""What the revoker works with: its account, clients, table, and the way to the central account."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handler.model.cloudtrail import CallerKind
from handler.model.names import REPORT_DETAIL_TYPE, REPORT_SOURCE, REVOKER, iam_arn
from handler.model.principal import Target
from handler.model.report import Report, to_detail
from handler.model.settings import Settings
from handler.revoker.deny.contain import NoSuchPrincipal
from handler.revoker.state.standing import Together
from handler.revoker.state.table import Table, TableBusy

# Lambda tries a failed event again after one and after two more minutes: the third try decides.
WAIT_SECONDS = 150.0
# A reconciliation begins nothing after that; the function has 120 seconds.
ROUND_SECONDS = 60.0

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


@dataclass(frozen=True)
class Tools:
    """What acting needs, made once: clients by (service, region), table, settings, clock.

    `met` is this process's memory of ids that the ledger vouched for; `wait_seconds` is how long
    an unproven member is waited for; `now` is when this invocation began, `clock` tells the time
    since.
    """

    here: Here
    settings: Settings
    clients: Clients
    table: Table
    together: Together
    met: set[str]
    now: float
    wait_seconds: float = WAIT_SECONDS
    clock: Callable[[], float] = time.time

    @property
    def iam(self) -> Any:
        return self.clients("iam", self.here.region)


class ReportRefused(Exception):
    """The central bus did not take a report."""


def refusals() -> tuple[type[Exception], ...]:
    """What AWS, the network or the central account may answer to one job of several."""
    from botocore.exceptions import BotoCoreError, ClientError

    return (BotoCoreError, ClientError, NoSuchPrincipal, ReportRefused, TableBusy)


def time_is_up(tools: Tools) -> bool:
    """Whether a round had better leave the rest to the next one, before Lambda ends it."""
    return tools.clock() - tools.now > ROUND_SECONDS


def attempt(job: Callable[[], None], tools: Tools, troubles: list[Exception]) -> None:
    """Do one job of several, while there is time: a refusal is kept for the end of the round."""
    if time_is_up(tools):
        return
    try:
        job()
    except refusals() as error:
        troubles.append(error)


def target_of(tools: Tools, *, kind: CallerKind, name: str, principal_id: str) -> Target:
    """A principal of this account as the deny methods take it."""
    return Target(
        kind=kind,
        name=name,
        id=principal_id,
        account=tools.here.account,
        partition=tools.here.partition,
        everything=tools.settings.everything,
    )


def account_alias(tools: Tools) -> str:
    """The account's alias, empty where there is none or a policy of theirs hides it from us."""
    try:
        aliases = tools.iam.list_account_aliases()["AccountAliases"]
    except tools.iam.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return ""
    return str(aliases[0]) if aliases else ""


def send(report: Report, tools: Tools) -> None:
    """One report to the central bus; raises ReportRefused when it is not taken."""
    put_event(REPORT_DETAIL_TYPE, to_detail(report), tools)


def put_event(detail_type: str, detail: dict[str, Any], tools: Tools) -> None:
    """One event of ours to the central bus, in the bus's own region."""
    bus = tools.settings.central_bus_arn
    answered = tools.clients("events", bus.split(":")[3]).put_events(
        Entries=[
            {
                "Source": REPORT_SOURCE,
                "DetailType": detail_type,
                "Detail": json.dumps(detail),
                "EventBusName": bus,
            }
        ]
    )
    if answered["FailedEntryCount"]:
        entry = answered["Entries"][0]
        raise ReportRefused(f"{entry.get('ErrorCode')}: {entry.get('ErrorMessage')}")
