"""Invocations as Lambda makes them: what a function raises is a failure, and no test's own error.

The handlers run as they are, from their entry points on; only clients, clock, environment and the
question to STS are given to them.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from handler.model.settings import read_settings
from handler.notifier import main as notifier
from handler.notifier.send.sweep import SweepFailed
from handler.revoker import main as revoker
from handler.revoker.deny.contain import NoSuchPrincipal
from handler.revoker.requests.requests import responder
from handler.revoker.respond.event_history import Deferred
from handler.revoker.respond.respond import ForeignEvent
from handler.revoker.state.context import ReportRefused, Tools
from handler.revoker.state.table import TableBusy
from tests.doubles.account import BUS, in_turn
from tests.faults.client_faults import Died

# What the functions raise on purpose, what botocore raises, and what an empty answer makes of them.
# A double's own AssertionError is none of these.
FAILURES = (
    *(Deferred, ForeignEvent, NoSuchPrincipal, ReportRefused, SweepFailed, TableBusy),
    *(BotoCoreError, ClientError, ResponseParserError, KeyError, TypeError, Died),
)
REVOKER_ENVIRONMENT = {
    "STATE_TABLE": "state",
    "MODE": "enforce",
    "CENTRAL_BUS_ARN": BUS,
    "MISSING_GROUP": "treat-as-empty",
}
REVOKER_ARN = "arn:aws:lambda:us-east-1:111122223333:function:iam-org-revoker"

Clients = Callable[..., Any]


@contextmanager
def revoker_works_with(
    clients: Clients,
    clock: Callable[[], float],
    *,
    signer: Callable[[], str],
    variables: Mapping[str, str],
) -> Iterator[None]:
    """The member's function, with these clients by (service, region)."""

    def ask(_url: str, _headers: dict[str, str]) -> str:
        return f"<Arn>{signer()}</Arn>"

    with ExitStack() as given:
        given.enter_context(patch.object(revoker, "_client", clients))
        given.enter_context(patch.object(revoker, "_together", in_turn))
        given.enter_context(patch.object(revoker, "time", SimpleNamespace(time=clock)))
        given.enter_context(patch.object(revoker, "Tools", partial(Tools, clock=clock)))
        given.enter_context(patch.object(revoker, "responder", partial(responder, ask=ask)))
        # They are read in each invocation, and cost a fifth of a case.
        read = read_settings(REVOKER_ENVIRONMENT | dict(variables))
        given.enter_context(patch.object(revoker, "read_settings", lambda _: read))
        given.enter_context(patch.dict(os.environ, REVOKER_ENVIRONMENT))
        yield


@contextmanager
def notifier_works_with(
    clients: Clients,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    *,
    words: Mapping[str, str],
    environment: Mapping[str, str],
) -> Iterator[None]:
    """The central account's function, with these clients by service."""
    with ExitStack() as given:
        given.enter_context(patch.object(notifier, "_central_client", clients))
        times = SimpleNamespace(time=clock, sleep=sleep)
        given.enter_context(patch.object(notifier, "time", times))
        given.enter_context(patch.object(notifier, "MAIL_WORDS", words))
        given.enter_context(patch.dict(os.environ, environment))
        yield


def run_revoker(event: Mapping[str, Any]) -> tuple[Any, Exception | Died | None]:
    """One invocation: the answer, and what the function raised or died of."""
    context = SimpleNamespace(invoked_function_arn=REVOKER_ARN)
    return _run(partial(revoker.lambda_handler, event, context))


def run_notifier(event: Mapping[str, Any], request: str) -> tuple[Any, Exception | Died | None]:
    context = SimpleNamespace(aws_request_id=request)
    return _run(partial(notifier.lambda_handler, event, context))


def _run(function: Callable[[], Any]) -> tuple[Any, Exception | Died | None]:
    with redirect_stdout(io.StringIO()):
        try:
            return function(), None
        except FAILURES as error:
            return None, error


def forget_process() -> None:
    """The warm process is gone, and its memory with it."""
    revoker._met.clear()
