"""Print a template, as YAML for people or as minified JSON for a rollout; decides nothing about it.

The order of keys is ours: what a resource is stands before what it holds, and code comes last.
"""

from __future__ import annotations

import json
from typing import Any

import yaml

Tree = dict[str, Any]

_SECTIONS = (
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Resources",
    "Outputs",
)
_RESOURCE = (
    "Type",
    "Condition",
    "DependsOn",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "Metadata",
    "Properties",
)
_LAST = "Code"
_SHORT = (
    "Sub",
    "If",
    "Equals",
    "And",
    "Or",
    "Not",
    "FindInMap",
    "GetAtt",
    "Join",
    "Select",
    "Split",
)


def ordered(template: Tree) -> Tree:
    """The template in our order: sections, keys of a resource, code last; the rest as made."""
    said = {name: template[name] for name in _SECTIONS if name in template}
    said["Resources"] = {name: _resource(body) for name, body in template["Resources"].items()}
    return said


def as_yaml(template: Tree) -> str:
    """YAML 1.1 with short functions, a literal block for the code, and no anchors."""
    return yaml.dump(
        _tagged(ordered(template)),
        Dumper=_Dumper,
        sort_keys=False,
        width=10_000,  # a folded pattern reads badly
        default_flow_style=False,
        allow_unicode=False,
    )


def as_json(template: Tree) -> str:
    """Minified JSON: what is sent as TemplateBody."""
    return json.dumps(ordered(template), separators=(",", ":"))


def _resource(body: Tree) -> Tree:
    said = {name: body[name] for name in _RESOURCE if name in body}
    properties = body["Properties"]
    if _LAST in properties:
        rest = {name: value for name, value in properties.items() if name != _LAST}
        said["Properties"] = {**rest, _LAST: properties[_LAST]}
    return said


class _Dumper(yaml.SafeDumper):
    """PyYAML's dumper with CloudFormation's functions, and lists indented under their key."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # PyYAML's signature
        return True

    def choose_scalar_style(self) -> str:
        # PyYAML would put quotes around every !Ref name.
        event = self.event
        if isinstance(event, yaml.ScalarEvent) and str(event.tag).startswith("!"):
            self.analysis = self.analysis or self.analyze_scalar(event.value)
            plain = "allow_flow_plain" if self.flow_level else "allow_block_plain"
            if getattr(self.analysis, plain) and not self.analysis.multiline:
                return ""
        return super().choose_scalar_style()

    def increase_indent(
        self,
        flow: bool = False,
        indentless: bool = False,  # noqa: ARG002  # never, the reason for this method
    ) -> None:
        super().increase_indent(flow, False)


class _Tagged:
    """A value under a short function: !Sub text, !If [a, b, c]."""

    def __init__(self, tag: str, value: Any) -> None:
        self.tag = tag
        self.value = value


def _tagged(value: Any) -> Any:
    match value:
        case {"Ref": name, **rest} if not rest:
            return _Tagged("!Ref", name)
        case {"Fn::GetAtt": [resource, attribute], **rest} if not rest:
            return _Tagged("!GetAtt", f"{resource}.{attribute}")
        case dict() if len(value) == 1 and next(iter(value)) in {f"Fn::{name}" for name in _SHORT}:
            ((function, inner),) = value.items()
            return _Tagged(function.replace("Fn::", "!"), _tagged(inner))
        case dict():
            return {key: _tagged(inner) for key, inner in value.items()}
        case list():
            return [_tagged(inner) for inner in value]
        case _:
            return value


def _bare(value: Any) -> Any:
    return value.value if isinstance(value, _Tagged) else value


def _represent_tagged(dumper: yaml.SafeDumper, data: _Tagged) -> yaml.Node:
    if isinstance(data.value, str):
        return dumper.represent_scalar(data.tag, data.value)
    flat = not any(isinstance(_bare(inner), dict | list) for inner in data.value)
    return dumper.represent_sequence(data.tag, data.value, flow_style=flat)


def _represent_text(dumper: yaml.SafeDumper, data: str) -> yaml.Node:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", data, style="|" if "\n" in data else None
    )


def _represent_list(dumper: yaml.SafeDumper, data: list[Any]) -> yaml.Node:
    numbers = all(isinstance(inner, int) for inner in data)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=numbers)


_Dumper.add_representer(list, _represent_list)
_Dumper.add_representer(_Tagged, _represent_tagged)
_Dumper.add_representer(str, _represent_text)
