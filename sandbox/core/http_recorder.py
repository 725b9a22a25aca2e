"""The ASGI layer in front of the emulator: it records calls and injects faults.

It answers nothing itself but an injected fault; authorization stays with the emulator.
"""

from __future__ import annotations

import uuid
from collections.abc import MutableMapping
from typing import Any

from sandbox.core import patches
from sandbox.core.calls import QUIET_HEADER, Call, quiet, read_answer, read_call
from sandbox.core.emulator import Asgi
from sandbox.core.event_names import UNKNOWN_CALLER, is_management
from sandbox.core.faults import KILL_AFTER, KILL_BEFORE, Faults, kill_function_of
from sandbox.core.identities import account_of, from_console, user_identity
from sandbox.core.records import record_of
from sandbox.core.request_context import CALLER
from sandbox.core.state import State

_STATUS = {
    "InternalError": 500,
    "InternalFailure": 500,
    # CloudFormation API Reference, errors of CreateStackInstances.
    "OperationInProgressException": 409,
    "ServiceUnavailable": 503,
    "StaleRequestException": 409,
}


def watched(app: Asgi, *, state: State, faults: Faults) -> Asgi:
    """Wrap the emulator: every signed management call leaves a record through `state.emit`.

    The record is emitted before the caller gets her answer, so that who waits for the answer
    finds the record on its way. A call of the sandbox itself (header x-sandbox-quiet, signed
    with an account's root key) leaves none.
    """

    async def layer(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        # Callers speak TLS to AWS; policies that demand it (aws:SecureTransport) hold here too.
        scope["headers"] = [*scope["headers"], (b"x-forwarded-proto", b"https")]
        body = await _whole(receive)
        call = read_call(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
            body=body,
        )
        own = call is not None and QUIET_HEADER in headers and call.access_key.isdigit()
        if call is None or own:
            quiet.set(own)
            await app(scope, _again(body, receive), send)
            return
        code = faults.take(call.service, call.name)
        if code == KILL_BEFORE:
            kill_function_of(call.access_key)
            return
        if code == KILL_AFTER:
            send = _killing(send, call)
        elif code:
            await _refuse(send, call, code)
            return
        if not is_management(call):
            await app(scope, _again(body, receive), send)
            return
        await _recorded(app, scope, _again(body, receive), send, call=call, state=state)

    return layer


async def _recorded(
    app: Asgi,
    scope: MutableMapping[str, Any],
    receive: Any,
    send: Any,
    *,
    call: Call,
    state: State,
) -> None:
    # Before the call: a user may delete herself, or her key, with it.
    identity, account = user_identity(call.access_key), account_of(call.access_key)
    console = from_console(call.access_key)
    CALLER.set(identity)
    sent: list[MutableMapping[str, Any]] = []

    async def keep(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, keep)
    if identity is not None and account is not None and sent:
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in sent[0]["headers"]}
        body = b"".join(message.get("body", b"") for message in sent[1:])
        answer = read_answer(call, status=sent[0]["status"], headers=headers, body=body)
        if answer.get("Error", {}).get("Code") not in UNKNOWN_CALLER:
            source = (scope.get("client") or ("127.0.0.1",))[0]
            record = record_of(
                call,
                identity=identity,
                account=account,
                answer=answer,
                source=source,
                when=state.now(),
            )
            state.emit(record | ({"sessionCredentialFromConsole": "true"} if console else {}))
    for message in sent:
        await send(message)


def _killing(send: Any, call: Call) -> Any:
    """The call is done; its caller dies before the answer, which nobody hears."""

    async def kill_first(message: MutableMapping[str, Any]) -> None:
        kill_function_of(call.access_key)
        await send(message)

    return kill_first


async def _whole(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
    return body


def _again(body: bytes, receive: Any) -> Any:
    handed = False

    async def replay() -> Any:
        nonlocal handed
        if handed:
            return await receive()
        handed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _refuse(send: Any, call: Call, code: str) -> None:
    deny = patches.get("ministack.core.iam_actions", "access_denied_response")
    _, headers, body = deny(
        call.service,
        call.name,
        "",
        str(uuid.uuid4()),
        error_code=code,
        message=f"fault injected by the sandbox: {code}",
        headers=dict(call.headers),
    )
    head = [(k.lower().encode(), v.encode()) for k, v in headers.items()]
    status = 403 if code.startswith("AccessDenied") else _STATUS.get(code, 400)
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body, "more_body": False})
