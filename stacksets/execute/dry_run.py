"""The dry run: walk the same steps, hold each call against AWS's own model, and send nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from stacksets.steps.model import Call, Content, Saved, Step

PLACEHOLDER = "answered-by-an-earlier-call"


def dry_run(steps: Iterable[Step]) -> Iterator[str]:
    """A sentence for each call that AWS would refuse by its shape, and for each that wants what no
    call before it has saved."""
    loader, saved = Loader(), set[str]()
    for step in steps:
        for call in step.calls:
            missing = {one.name for one in _saved(call.arguments)} - saved
            for name in sorted(missing):
                yield f"{step.says}: {call.operation} wants {name}, which no call before it saves."
            if report := _misshapen(loader, call):
                yield f"{step.says}: {call.operation}: {report}"
            if call.saves:
                saved.add(call.saves[0])


def _misshapen(loader: Loader, call: Call) -> str:
    """What AWS's model says against a call's arguments, "" for nothing."""
    model = ServiceModel(loader.load_service_model(call.service, "service-2"))
    shape = model.operation_model(call.operation).input_shape
    if shape is None:
        return "takes no arguments" if call.arguments else ""
    report = ParamValidator().validate(_plain(dict(call.arguments)), shape)
    return str(report.generate_report()) if report.has_errors() else ""


def _plain(value: Any) -> Any:
    match value:
        case Saved():
            return PLACEHOLDER
        case Content():
            return b"{}"
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case list():
            return [_plain(one) for one in value]
    return value


def _saved(value: Any) -> Iterator[Saved]:
    match value:
        case Saved():
            yield value
        case dict():
            for one in value.values():
                yield from _saved(one)
        case list():
            for one in value:
                yield from _saved(one)
