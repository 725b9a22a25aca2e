"""What an upgrade changes, and what it may not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stacksets.observed.templates import read_template
from stacksets.scp.required_calls import OF_CENTRAL_TYPE, OF_TYPE
from stacksets.steps.template_diff import (
    CREATE_ONLY,
    STATE,
    parameter_changes,
    state_at_risk,
    template_changes,
)

ROOT = Path(__file__).parents[3]
MEMBER = read_template(ROOT / "templates" / "member.yaml").document
CENTRAL = read_template(ROOT / "templates" / "central.yaml").document


def table(**properties: Any) -> dict[str, Any]:
    return {
        "Resources": {
            "State": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {"TableName": "a", **properties},
            }
        }
    }


def test_a_changed_property_is_named_and_harmless() -> None:
    before, after = table(BillingMode="x"), table(BillingMode="y")
    assert template_changes(before, after) == ("~ State (AWS::DynamoDB::Table): BillingMode",)
    assert state_at_risk(before, after) == ()


@pytest.mark.parametrize(
    ("after", "line"),
    [
        (table(TableName="b"), "! State (AWS::DynamoDB::Table) is replaced: TableName"),
        ({"Resources": {}}, "- State (AWS::DynamoDB::Table)"),
        (
            {"Resources": {"State": {"Type": "AWS::SQS::Queue"}}},
            "! State is replaced: AWS::DynamoDB::Table -> AWS::SQS::Queue",
        ),
    ],
)
def test_a_table_that_would_go_is_at_risk(after: dict[str, Any], line: str) -> None:
    assert template_changes(table(), after) == (line,)
    assert state_at_risk(table(), after) == ("State",)


def test_a_rule_that_is_replaced_is_shown_and_remembers_nothing() -> None:
    def rule(name: str) -> dict[str, Any]:
        return {"Resources": {"R": {"Type": "AWS::Events::Rule", "Properties": {"Name": name}}}}

    assert template_changes(rule("a"), rule("b")) == ("! R (AWS::Events::Rule) is replaced: Name",)
    assert state_at_risk(rule("a"), rule("b")) == ()


def test_parameters_show_both_values() -> None:
    assert parameter_changes({"A": "1", "B": "", "C": "x"}, {"A": "2", "B": "y", "D": ""}) == (
        "A: 1 -> 2",
        "B: (empty) -> y",
        "C: x -> (none)",
        "D: (none) -> (empty)",
    )


def types() -> set[str]:
    return {one["Type"] for part in (MEMBER, CENTRAL) for one in part["Resources"].values()}


def test_every_type_of_the_templates_is_known() -> None:
    assert types() <= CREATE_ONLY.keys()
    assert CREATE_ONLY.keys() >= STATE


def test_what_the_last_release_could_not_change_is_what_we_refuse_to_replace() -> None:
    released = json.loads((ROOT / "tests/generator/create-only-0.1.0.json").read_text())
    for resources in released.values():
        for properties in resources.values():
            fixed = set(properties) - {"Type"}
            assert fixed <= set(CREATE_ONLY[properties["Type"]]), properties["Type"]


def test_each_resource_type_of_the_templates_has_its_calls() -> None:
    assert {one["Type"] for one in MEMBER["Resources"].values()} == OF_TYPE.keys()
    assert {one["Type"] for one in CENTRAL["Resources"].values()} == OF_CENTRAL_TYPE.keys()
