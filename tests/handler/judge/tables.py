"""The verdict tables, read strictly, and the code that they run on: handler/ and the template's."""

from __future__ import annotations

import copy
import importlib
import json
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
TABLES = ROOT / "tests" / "verdicts"
MEMBER_TEMPLATE = ROOT / "templates" / "member.yaml"

OWN_ROLE_ARN = "arn:aws:iam::111122223333:role/iam-org-revoker/iam-org-revoker"
# What a table leaves out: the mode that acts, and the one value that has no default.
ENVIRONMENT = {
    "MODE": "enforce",
    "CENTRAL_BUS_ARN": "arn:aws:events:us-east-1:999988887777:event-bus/iam-org-revoker",
}


@dataclass(frozen=True)
class Case:
    """One line of the specification; `override` has dotted paths to values, `delete` only paths."""

    table: str
    name: str
    action: str
    reason: str
    held_by: str = ""
    base: str = ""
    record: Any = None
    override: dict[str, Any] = field(default_factory=dict)
    delete: list[str] = field(default_factory=list)
    standing: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)


def bases() -> dict[str, dict[str, Any]]:
    """Fake records by the kind of caller, every field there, so that a test may take one away."""
    read = json.loads((TABLES / "bases.json").read_text())
    common = read.pop("common")
    return {name: common | own for name, own in read.items()}


def tables() -> dict[str, list[Case]]:
    """The cases by the reason that their file is named after; an unknown key is a TypeError."""
    paths = sorted(path for path in TABLES.glob("*.json") if path.name != "bases.json")
    return {
        path.stem: [Case(table=path.stem, **case) for case in json.loads(path.read_text())]
        for path in paths
    }


def record_of(case: Case) -> Any:
    """The record that a case is about. KeyError where it overrides or deletes inside nothing."""
    if not case.base:
        return case.record
    record = copy.deepcopy(bases()[case.base])
    for path, value in case.override.items():
        parent, key = _parent(record, path)
        parent[key] = value
    for path in case.delete:
        parent, key = _parent(record, path)
        del parent[key]
    return record


def _parent(record: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    *above, key = path.split(".")
    for step in above:
        record = record[step]
    return record, key


def source_code() -> types.SimpleNamespace:
    """decide and what it needs, from handler/."""
    names: dict[str, Any] = {}
    for module in ("model.cloudtrail", "model.settings", "model.reasons", "revoker.judge.rules"):
        names |= vars(importlib.import_module(f"handler.{module}"))
    return types.SimpleNamespace(**names)


def template_code() -> types.ModuleType:
    """The same, from the function's code in templates/member.yaml: what is deployed."""
    module = types.ModuleType("index_of_member_template")
    # dataclasses look their own module up by name.
    sys.modules[module.__name__] = module
    exec(compile(_zip_file(), "member.yaml:index.py", "exec"), module.__dict__)
    return module


def _zip_file() -> str:
    template = yaml.load(MEMBER_TEMPLATE.read_text(), Loader=_Cloudformation)
    codes = [
        resource["Properties"]["Code"]["ZipFile"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    ]
    (code,) = codes
    assert isinstance(code, str)
    return code


class _Cloudformation(yaml.SafeLoader):
    """SafeLoader that takes !Sub, !GetAtt and their like for plain values."""


def _plain(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    match node:
        case yaml.ScalarNode():
            return loader.construct_scalar(node)
        case yaml.SequenceNode():
            return loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            return loader.construct_mapping(node, deep=True)
    return suffix


_Cloudformation.add_multi_constructor("!", _plain)
