"""Service-managed StackSets, as actions of the emulator's CloudFormation.

Reads the request, asks the action, writes the answer as XML; what an action does is in
`stackset_actions`.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from sandbox.cloudformation.auto_deployment import follow_move
from sandbox.cloudformation.stackset_actions import ACTIONS
from sandbox.cloudformation.stackset_model import StackSetRefused
from sandbox.cloudformation.stackset_service import Action, StackSets
from sandbox.core import patches
from sandbox.core.calls import read_form, service_model
from sandbox.organizations.organization import Organization

Answer = tuple[int, dict[str, str], bytes]

NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


def install_stacksets(organization: Organization) -> StackSets:
    """Add the actions until `hooks.restore`, and deploy to accounts that come, move or leave."""
    service = StackSets(organization)
    for name, action in ACTIONS.items():
        answer = _answering(service, name, action)
        handlers = "ministack.services.cloudformation.handlers"
        patches.replace_entry(handlers, "_ACTION_HANDLERS", name, answer)

    def follow(account: str, _before: str | None, now: str | None) -> None:
        if service.loop is not None:
            sets = list(service.sets.values())
            # An account may also be added by another thread, not by a request.
            service.loop.call_soon_threadsafe(follow_move, organization, sets, account, now)

    organization.on_move.append(follow)
    return service


def _answering(service: StackSets, name: str, action: Action) -> Any:
    def answer(params: dict[str, Any]) -> Answer:
        form = {key: one[0] if isinstance(one, list) else one for key, one in params.items()}
        request = read_form(service_model("cloudformation"), name, form)
        service.loop = asyncio.get_running_loop()
        try:
            result = _xml(action(service, request))
        except StackSetRefused as refused:
            error = {"Type": "Sender", "Code": refused.code, "Message": refused.message}
            return _written("ErrorResponse", _xml({"Error": error}), refused.status)
        return _written(f"{name}Response", f"<{name}Result>{result}</{name}Result>", 200)

    return answer


def _written(root: str, inner: str, status: int) -> Answer:
    request_id = f"<RequestId>{uuid.uuid4()}</RequestId>"
    if status == 200:
        request_id = f"<ResponseMetadata>{request_id}</ResponseMetadata>"
    body = f'<{root} xmlns="{NAMESPACE}">{inner}{request_id}</{root}>'
    return status, {"Content-Type": "text/xml"}, body.encode()


def _xml(value: Any) -> str:
    match value:
        case dict():
            # What is not there is left out, as AWS does; an empty list is written.
            return "".join(
                f"<{key}>{_xml(one)}</{key}>"
                for key, one in value.items()
                if one is not None and one != ""
            )
        case list():
            return "".join(f"<member>{_xml(one)}</member>" for one in value)
        case bool():
            return str(value).lower()
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        case _:
            return escape(str(value))
