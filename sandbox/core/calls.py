"""Read an HTTP request to the emulator as a call of the AWS API, with botocore's own models.

Knows the query, JSON and REST-JSON protocols; does not judge the call or its credentials.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

import botocore.parsers
import botocore.session
from botocore.awsrequest import HeadersDict
from botocore.model import OperationModel, ServiceModel, Shape

SERVICES = frozenset(
    [
        "iam",
        "sts",
        "lambda",
        "events",
        "cloudtrail",
        "sqs",
        "sns",
        "dynamodb",
        "logs",
        "cloudformation",
        "organizations",
    ]
)
QUIET_HEADER = "x-sandbox-quiet"
SOURCE_HEADER = "x-sandbox-source-ip"

# True while the emulator works on a call of the sandbox itself: no quota, no protected role.
quiet: ContextVar[bool] = ContextVar("quiet", default=False)

_CREDENTIAL = re.compile(r"Credential=([^/\s]+)/\d{8}/([^/\s]+)/([^/\s]+)/aws4_request")


@dataclass(frozen=True)
class Call:
    """One call: `params` under the names of the API (UserName, not userName)."""

    service: str
    operation: OperationModel
    access_key: str
    region: str
    headers: Mapping[str, str] = field(repr=False)
    params: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        return str(self.operation.name)


def read_call(
    *, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> Call | None:
    """Answer the call that a signed request makes, or None when it is none that we know."""
    signed = _CREDENTIAL.search(headers.get("authorization", ""))
    if signed is None or signed[3] not in SERVICES:
        return None
    access_key, region, service = signed.groups()
    model = service_model(service)
    if "x-amz-target" in headers:
        name, params = headers["x-amz-target"].rpartition(".")[2], _json(body)
    elif model.metadata["protocol"] == "rest-json":
        name, params = _rest(model, method=method, path=path, query=query, body=body)
    else:
        form = {k: v[0] for k, v in parse_qs(body.decode(), keep_blank_values=True).items()}
        form |= {k: v[0] for k, v in parse_qs(query, keep_blank_values=True).items()}
        name = form.get("Action", "")
        params = read_form(model, name, form)
    if name not in model.operation_names:
        return None
    return Call(
        service=service,
        operation=model.operation_model(name),
        access_key=access_key,
        region=region,
        headers=headers,
        params=params,
    )


def read_answer(call: Call, *, status: int, headers: Mapping[str, str], body: bytes) -> Any:
    """Answer what the caller's SDK would read: a dict; on an error with `Error` in it."""
    shape: Any = call.operation.output_shape
    parser = botocore.parsers.create_parser(call.operation.service_model.metadata["protocol"])
    response = {"status_code": status, "headers": HeadersDict(headers), "body": body}
    try:
        return parser.parse(response, shape)
    except botocore.parsers.ResponseParserError:
        return {"Error": {"Code": str(status), "Message": body[:200].decode(errors="replace")}}


@functools.cache
def service_model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def _json(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body or b"{}")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _rest(
    model: ServiceModel, *, method: str, path: str, query: str, body: bytes
) -> tuple[str, dict[str, Any]]:
    for name, verb, pattern in _routes(model.service_name):
        found = pattern.fullmatch(path.rstrip("/")) if verb == method else None
        if found:
            params = _json(body)
            params |= {k: unquote(v) for k, v in found.groupdict().items()}
            shape = model.operation_model(name).input_shape
            sent = parse_qs(query, keep_blank_values=True)
            for member, inner in (shape.members if shape else {}).items():
                if inner.serialization.get("location") == "querystring":
                    key = inner.serialization["name"]
                    params |= {member: sent[key][0]} if key in sent else {}
            return name, params
    return "", {}


@functools.cache
def _routes(service: str) -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """Every operation's method and path; the ones with the most fixed text come first."""
    routes = []
    for name in service_model(service).operation_names:
        http = service_model(service).operation_model(name).http
        uri = http["requestUri"].partition("?")[0].rstrip("/")
        pieces = re.split(r"\{(\w+)\+?\}", uri)
        text = "".join(
            f"(?P<{piece}>[^/]+)" if index % 2 else re.escape(piece)
            for index, piece in enumerate(pieces)
        )
        routes.append((sum(map(len, pieces[::2])), name, http["method"], re.compile(text)))
    return tuple(route[1:] for route in sorted(routes, key=lambda route: -route[0]))


def read_form(model: ServiceModel, name: str, form: dict[str, str]) -> dict[str, Any]:
    """Answer the parameters of a query-protocol request under their names in the API."""
    shape = model.operation_model(name).input_shape if name in model.operation_names else None
    read = _unflatten(shape, form, "") if shape else None
    return read if isinstance(read, dict) else {}


def _unflatten(shape: Shape, form: dict[str, str], at: str) -> Any:
    """Undo the query protocol: `Tags.member.1.Key` and its like; None for what was not sent."""
    match shape.type_name:
        case "structure":
            members: dict[str, Shape] = shape.members
            prefix = f"{at}." if at else ""
            found = {
                name: _unflatten(inner, form, prefix + inner.serialization.get("name", name))
                for name, inner in members.items()
            }
            return {name: value for name, value in found.items() if value is not None} or None
        case "list":
            inner = shape.member
            flat = shape.serialization.get("flattened")
            stem = at if flat else f"{at}.{inner.serialization.get('name', 'member')}"
            return _numbered(form, stem, lambda here: _unflatten(inner, form, here))
        case "map":
            stem = at if shape.serialization.get("flattened") else f"{at}.entry"
            pairs = _numbered(form, stem, lambda here: form.get(f"{here}.key"))
            values = _numbered(form, stem, lambda here: form.get(f"{here}.value"))
            return dict(zip(pairs, values, strict=False)) if pairs and values else None
        case "boolean":
            return form[at].lower() == "true" if at in form else None
        case "integer" | "long":
            return int(form[at]) if form.get(at, "").lstrip("-").isdigit() else None
        case _:
            return form.get(at)


def _numbered(form: dict[str, str], stem: str, read: Any) -> list[Any] | None:
    found: list[Any] = []
    while any(k == (here := f"{stem}.{len(found) + 1}") or k.startswith(f"{here}.") for k in form):
        found.append(read(here))
    return found or None
