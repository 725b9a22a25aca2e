"""The Lambda of a member account: answers IAM calls, reconciles, serves the responder.

Only this file makes clients, reads the environment and the clock. Whatever cannot be done is
raised: Lambda tries twice more and then hands the event to the dead-letter queue.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from handler.model.settings import read_settings
from handler.revoker.reconcile.reconcile import reconcile
from handler.revoker.requests.requests import responder
from handler.revoker.respond.dispatch import deliver
from handler.revoker.state.context import WAIT_SECONDS, Here, Tools
from handler.revoker.state.table import Table

# Ids that the ledger vouched for in this process: a warm function asks the table alone.
_met: set[str] = set()


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Entry point; `event` is EventBridge's, {"reconcile": true}, or a responder request."""
    tools = _tools(context.invoked_function_arn.split(":"))
    match event:
        case {"reconcile": True}:
            return reconcile(tools)
        case {"responder": str()}:
            return responder(event, tools)
    said = deliver(event, tools)
    print(json.dumps(said))
    return said


def _tools(arn: list[str]) -> Tools:
    here = Here(partition=arn[1], region=arn[3], account=arn[4])
    return Tools(
        here=here,
        settings=read_settings(os.environ),
        clients=_client,
        table=Table(_client("dynamodb", here.region), os.environ["STATE_TABLE"]),
        together=_together,
        met=_met,
        now=time.time(),
        wait_seconds=float(os.environ.get("WAIT_SECONDS", WAIT_SECONDS)),
    )


def _together(one: Callable[[], Any], other: Callable[[], Any]) -> tuple[Any, Any]:
    """Run both at once: two readings in the time of one."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=1) as pool:
        second = pool.submit(other)
        return one(), second.result()


@cache
def _client(service: str, region: str) -> Any:
    # botocore alone: importing boto3 costs the cold start and gives nothing here.
    from botocore.config import Config
    from botocore.session import get_session

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 6}, connect_timeout=5, read_timeout=10
    )
    return get_session().create_client(service, region_name=region, config=config)
