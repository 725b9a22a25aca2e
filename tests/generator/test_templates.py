"""The committed templates: what the code renders, readable, small enough, and of allowed kinds."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from generator.doc_tables import CREATE_ONLY
from generator.render import Rendered, render
from generator.source.mail_texts import House

TEMPLATES = Path(__file__).parents[2] / "templates"
NAMES = ("member", "central")
FUNCTIONS = {"member": "Revoker", "central": "Notifier"}


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short functions, read back into the long ones."""


def _long_form(loader: Loader, suffix: str, node: yaml.Node) -> Any:
    match node:
        case yaml.ScalarNode():
            value: Any = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            raise AssertionError(f"!{suffix} holds neither text nor list")
    if suffix == "GetAtt":
        value = value.split(".", 1)
    return {"Ref" if suffix == "Ref" else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", _long_form)


def committed(name: str) -> str:
    return (TEMPLATES / f"{name}.yaml").read_text(encoding="ascii")


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_template_is_what_the_code_renders_byte_for_byte_every_time(
    name: str, rendered: dict[str, Rendered]
) -> None:
    again = {one.name: one for one in render(house=House())}
    assert committed(name) == rendered[name].yaml
    assert again[name].yaml == rendered[name].yaml
    assert again[name].json == rendered[name].json


@pytest.mark.parametrize("name", NAMES)
def test_the_yaml_says_the_same_as_the_json(name: str, rendered: dict[str, Rendered]) -> None:
    assert yaml.load(committed(name), Loader) == json.loads(rendered[name].json)


@pytest.mark.parametrize("name", NAMES)
def test_the_code_is_one_literal_block_behind_what_the_function_is(name: str) -> None:
    text = committed(name)
    function = text.index(f"\n  {FUNCTIONS[name]}:\n")
    kind = text.index("Type: AWS::Lambda::Function", function)
    role = text.index("      Role: ", function)
    code = text.index("ZipFile: |\n", function)
    assert function < kind < role < code
    assert text.count("ZipFile:") == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_text_is_ascii_without_tabs_or_trailing_blanks_or_anchors(name: str) -> None:
    text = committed(name)
    assert text.isascii()
    assert "\t" not in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    assert not [line for line in text.splitlines() if ": &" in line or ": *id" in line]


@pytest.mark.parametrize("name", NAMES)
def test_the_code_taken_back_out_of_the_yaml_is_the_joined_code(
    name: str, rendered: dict[str, Rendered]
) -> None:
    resources = yaml.load(committed(name), Loader)["Resources"]
    code = resources[FUNCTIONS[name]]["Properties"]["Code"]["ZipFile"]
    assert code == rendered[name].code.index
    handlers = [n for n in ast.parse(code).body if isinstance(n, ast.FunctionDef)]
    assert "lambda_handler" in {function.name for function in handlers}


@pytest.mark.parametrize("name", NAMES)
def test_cfn_lint_finds_nothing_and_nothing_is_ignored(name: str) -> None:
    found = lint_file(TEMPLATES / f"{name}.yaml", config=ManualArgs(regions=["us-east-1"]))
    assert [str(match) for match in found] == []
    assert "cfn-lint" not in committed(name)


def test_cfn_lint_would_find_a_misspelt_property(tmp_path: Path) -> None:
    broken = tmp_path / "member.yaml"
    broken.write_text(committed("member").replace("MemorySize", "MemorySise"))
    assert lint_file(broken, config=ManualArgs(regions=["us-east-1"]))


def test_the_member_template_holds_these_kinds_of_resources_and_no_others(
    member: Rendered,
) -> None:
    kinds = [body["Type"] for body in member.tree["Resources"].values()]
    assert sorted(kinds) == [
        "AWS::CloudTrail::Trail",
        "AWS::DynamoDB::Table",
        *["AWS::Events::Rule"] * 4,
        *["AWS::IAM::Group"] * 2,
        *["AWS::IAM::ManagedPolicy"] * 2,
        *["AWS::IAM::Role"] * 5,
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Function",
        *["AWS::Lambda::Permission"] * 3,
        *["AWS::Logs::LogGroup"] * 2,
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
        "AWS::Scheduler::Schedule",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_no_template_holds_what_a_service_managed_stackset_refuses(name: str) -> None:
    tree = yaml.load(committed(name), Loader)
    kinds = {body["Type"] for body in tree["Resources"].values()}
    assert "AWS::CloudFormation::Stack" not in kinds
    assert not {kind for kind in kinds if kind.startswith(("AWS::Serverless", "Custom::"))}
    assert "Transform" not in tree
    assert "Fn::Transform" not in json.dumps(tree)
    assert "ReservedConcurrentExecutions" not in json.dumps(tree)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_says_what_it_does_and_what_it_takes(
    name: str, rendered: dict[str, Rendered]
) -> None:
    tree = rendered[name].tree
    for body in tree["Parameters"].values():
        assert body["Description"].endswith(".")
        assert (
            "AllowedValues" in body
            or {"AllowedPattern", "ConstraintDescription"} <= body.keys()
            or {"MinValue", "MaxValue"} <= body.keys()
        )
    required = [name for name, body in tree["Parameters"].items() if "Default" not in body]
    assert required == (["CentralBusArn"] if name == "member" else [])
    groups = tree["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [parameter for group in groups for parameter in group["Parameters"]]
    assert sorted(grouped) == sorted(tree["Parameters"])


def test_what_upgrades_must_not_change_is_what_cloudformation_replaces(
    rendered: dict[str, Rendered],
) -> None:
    for one in rendered.values():
        for body in one.tree["Resources"].values():
            schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", body["Type"]).schema
            paths = [
                *schema.get("createOnlyProperties", ()),
                *schema.get("conditionalCreateOnlyProperties", ()),
            ]
            replaced = {path.removeprefix("/properties/") for path in paths}
            ours = set(CREATE_ONLY.get(body["Type"], ()))
            assert ours & body["Properties"].keys() == replaced & body["Properties"].keys()


def test_nothing_that_bears_a_fixed_name_is_kept_when_its_stack_goes(
    rendered: dict[str, Rendered],
) -> None:
    for one in rendered.values():
        for body in one.tree["Resources"].values():
            assert body.get("DeletionPolicy", "Delete") == "Delete"
