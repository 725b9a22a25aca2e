"""The gain tables, read strictly, and the code that they run on: handler/ and its joined form."""

from __future__ import annotations

import copy
import json
import sys
import types
from dataclasses import MISSING, asdict, dataclass, field, fields
from datetime import date
from functools import cache
from typing import Any

from generator.source.join_modules import join_modules, read_sources
from handler.model.cloudtrail import Call, read_record
from handler.model.settings import read_settings
from handler.revoker.impacts.model import Impact
from handler.revoker.impacts.table import impacts_of
from tests.handler.judge.tables import ENVIRONMENT, ROOT, bases

TABLES = ROOT / "tests" / "impacts"
SETTINGS = read_settings(ENVIRONMENT)


@dataclass(frozen=True)
class Case:
    """One call, the row of the method that it shows, and what it gives; defaults left out."""

    row: int
    name: str
    event: str
    base: str = "user"
    request: Any = None
    response: Any = None
    error: str = ""
    impacts: list[dict[str, Any]] = field(default_factory=list)


def cases() -> list[Case]:
    """Every case; an unknown key is a TypeError."""
    return [
        Case(**case)
        for path in sorted(TABLES.glob("*.json"))
        for case in json.loads(path.read_text())
    ]


CASES = cases()
YES = [case for case in CASES if case.impacts]


def call_of(case: Case, *, error: str = "") -> Call:
    record = copy.deepcopy(bases()[case.base])
    record |= {
        "eventName": case.event,
        "requestParameters": case.request,
        "responseElements": case.response,
    }
    if error or case.error:
        record["errorCode"] = error or case.error
    return read_record(record)


def rescues(role: str) -> bool:
    """As the default administrator patterns say; a bare name stands at the path's root."""
    arn = role if role.startswith("arn:") else f"arn:aws:iam::111122223333:role/{role}"
    return any(
        pattern.matches(role_arn=arn, on=date(2026, 3, 2)) for pattern in SETTINGS.admin_roles
    )


def impacts_found(call: Call, *, index: Any = None) -> list[dict[str, Any]]:
    """The gains as the tables write them: values of JSON, defaults left out."""
    find = impacts_of if index is None else index.impacts_of
    impacts = find(call, admin_group="Administrators", rescue=rescues)
    return [_written(impact) for impact in impacts]


def _written(impact: Impact) -> dict[str, Any]:
    defaults = {f.name: f.default for f in fields(impact) if f.default is not MISSING}
    values = {k: v for k, v in asdict(impact).items() if k not in defaults or v != defaults[k]}
    if "kind" in values:
        values["kind"] = impact.kind.value if impact.kind else None
    if "undo" in values:
        values["undo"] = [list(command) for command in impact.undo]
    values["remediation"] = impact.remediation.value
    return values


@cache
def joined_code() -> types.ModuleType:
    """gains and revoker as one file, as the template carries its code."""
    sources = read_sources(ROOT / "handler")
    sources["handler.both"] = (
        "from handler.revoker.impacts.table import impacts_of\n"
        "from handler.revoker.judge.membership import administrator_at\n"
        "from handler.revoker.main import lambda_handler\n"
    )
    module = types.ModuleType("index_with_impacts")
    sys.modules[module.__name__] = module
    code = join_modules(entry="handler.both", sources=sources, title="Joined.")
    exec(compile(code, "index.py", "exec"), module.__dict__)
    return module
