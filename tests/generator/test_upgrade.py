"""An upgrade of a running stack replaces nothing: create-only properties are the last release's."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from generator.doc_tables import CREATE_ONLY
from generator.render import Rendered

RELEASED = "0.1.0"
BASELINE: dict[str, dict[str, dict[str, Any]]] = json.loads(
    (Path(__file__).parent / f"create-only-{RELEASED}.json").read_text()
)


def replaced(name: str, resources: dict[str, Any]) -> list[str]:
    """What CloudFormation would replace or remove, of what the last release made."""
    found = []
    for title, was in BASELINE[name].items():
        if title not in resources:
            found.append(f"{title} is gone")
            continue
        now = {"Type": resources[title]["Type"], **resources[title]["Properties"]}
        watched = ("Type", *CREATE_ONLY.get(was["Type"], ()))
        found += [f"{title}.{key}" for key in watched if now.get(key) != was.get(key)]
    return found


@pytest.mark.parametrize("name", ["member", "central"])
def test_an_upgrade_of_the_last_release_replaces_nothing(
    name: str, rendered: dict[str, Rendered]
) -> None:
    assert replaced(name, json.loads(rendered[name].json)["Resources"]) == []


def test_a_changed_description_of_the_deny_would_be_found(member: Rendered) -> None:
    resources = copy.deepcopy(json.loads(member.json)["Resources"])
    resources["DenyPolicy"]["Properties"]["Description"] = "Better words."
    resources["DeadLettersPolicy"]["Properties"]["PolicyDocument"] = {}
    del resources["DenyGroup"]
    assert replaced("member", resources) == ["DenyGroup is gone", "DenyPolicy.Description"]


def test_what_two_resources_are_named_never_changes_hands(rendered: dict[str, Rendered]) -> None:
    """A new resource under an old one's fixed name would meet the old one while it still exists."""
    for name, template in rendered.items():
        was = _names(BASELINE[name])
        now = _names(
            {
                title: {"Type": body["Type"], **body["Properties"]}
                for title, body in json.loads(template.json)["Resources"].items()
            }
        )
        moved = {key for key, title in was.items() if now.get(key, title) != title}
        assert moved == set()


def _names(resources: dict[str, dict[str, Any]]) -> dict[tuple[str, str], str]:
    return {
        (body["Type"], value): title
        for title, body in resources.items()
        for key, value in body.items()
        if key.endswith("Name") and key in CREATE_ONLY.get(body["Type"], ())
        if isinstance(value, str)
    }


def test_deleting_the_stack_stops_at_the_deny_and_leaves_the_responder_its_way_in(
    member: Rendered,
) -> None:
    """CloudFormation deletes dependants first: what the deny depends on goes after it."""
    resources = json.loads(member.json)["Resources"]
    needed = _needs("DenyPolicy", resources)
    assert needed >= {"ResponderMayInvoke", "Revoker", "RevokerRole", "RevokerLog", "State"}
    for rule in ("CallsRule", "CanaryRule", "ReconcileSchedule"):
        assert "DenyPolicy" in _needs(rule, resources)


def _needs(title: str, resources: dict[str, Any]) -> set[str]:
    body = resources[title]
    near = {*body.get("DependsOn", ()), *_references(body["Properties"])} & resources.keys()
    return near.union(*(_needs(one, resources) for one in near))


def _references(value: Any) -> set[str]:
    match value:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": [str(name), _]}:
            return {name}
        case dict():
            return set().union(*map(_references, value.values()))
        case list():
            return set().union(*map(_references, value))
    return set()
