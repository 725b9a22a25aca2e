"""What `status` prints: JSON by its schema, a table that fits a terminal, and nothing of a
stranger's."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from stacksets.cli.status import show
from stacksets.cli.status_json import status_json
from stacksets.cli.status_table import SIGNS, status_table
from stacksets.status.coverage import coverage
from stacksets.status.inputs import StatusInputs
from stacksets.status.states import State
from tests.stacksets.status.inputs import NOW, account_id, mixed_status_inputs, status_inputs

ROOT = Path(__file__).parents[3]
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs" / "status.schema.json").read_text())


def printed(inputs: StatusInputs, *, width: int = 100) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False)
    for part in status_table(coverage(inputs), organization=inputs.organization.id):
        console.print(part)
    return out.getvalue()


def reported(inputs: StatusInputs) -> dict[str, Any]:
    return dict(json.loads(json.dumps(status_json(coverage(inputs), inputs))))


@pytest.mark.parametrize("size", [1, 2, 14])
def test_the_json_is_as_its_schema_says(size: int) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(reported(mixed_status_inputs(size)), SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(reported(mixed_status_inputs(size)) | {"counts": {"lost": 1}}, SCHEMA)
    assert set(SCHEMA["$defs"]["state"]["enum"]) == {state.value for state in State}


def test_the_json_of_a_covered_account_is_written_out_whole() -> None:
    found = reported(status_inputs(2))
    assert found.pop("accounts")[1] == {
        "account": account_id(1),
        "name": "payments-test-0001",
        "unit": ["Workloads", "Payments"],
        "ring": "all",
        "amiss": False,
        "state": "covered",
        "why": "",
        "todo": "",
        "also": [],
        "last_heartbeat_at": NOW - 300,
        "heartbeat": {
            "version": "0.1.0",
            "mode": "enforce",
            "rule": "ENABLED",
            "tamper_rule": "ENABLED",
            "trail": "logging",
            "table_policy": "denies",
            "last_event_at": NOW - 3_600,
            "dead_letters": 0,
            "redriven": 0,
            "contained": 0,
            "ledger_differences": [],
            "self_test": {
                "at": NOW - 40_000,
                "ok": True,
                "event_seconds": 1.9,
                "deny_seconds": 2.4,
                "error": "",
            },
        },
    }
    zeros = dict.fromkeys((state.value for state in State), 0)
    assert found == {
        "version": 1,
        "organization": "o-exampleorgid",
        "at": NOW,
        "covered": True,
        "counts": {**zeros, "covered": 1, "not enforcing": 1},
        "seconds_to_contain": {"accounts": 1, "median": 2.4, "p99": 2.4},
        "seconds_to_see": {"accounts": 2, "median": 1.9, "p99": 1.9},
        "central_behind": False,
        "notes": [],
    }


def test_the_exit_code_is_1_while_something_is_amiss(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(status_inputs(3), page=None, as_json=True) == 0
    assert show(mixed_status_inputs(13), page=None, as_json=True) == 1
    assert show(mixed_status_inputs(13), page=None, as_json=False) == 1
    capsys.readouterr()


def test_the_exit_code_is_1_while_the_central_account_is_behind_for_it_tells_nobody(
    capsys: pytest.CaptureFixture[str],
) -> None:
    well = status_inputs(3)
    behind = replace(well.kept.central, last_sweep=well.now - 301)
    assert (
        show(replace(well, kept=replace(well.kept, central=behind)), page=None, as_json=True) == 1
    )
    assert json.loads(capsys.readouterr().out)["central_behind"] is True


def test_the_table_names_each_account_with_its_sign_state_and_reason() -> None:
    said = printed(mixed_status_inputs(14))
    assert max(map(len, said.splitlines())) <= 100
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "Workloads / Data" in lines
    assert "* covered 777700000010 data-test-0010 contained its canary in 3.0 s" in lines
    assert "~ drifted 777700000004 data-test-0004 The rule iam-org-revoker-calls is DISABLED." in (
        lines
    )
    assert (
        "o-exampleorgid: 4 of 12 accounts are covered; 7 are not as the file wants them." in lines
    )
    assert "Time to contain: median 2.4 s, 99th percentile 3.4 s (7 self-tests)." in lines


def test_of_many_accounts_only_those_amiss_have_a_line_and_units_are_summed_up() -> None:
    said = printed(mixed_status_inputs(3_000))
    assert " covered        7777" not in said
    assert len(said.splitlines()) < 700
    row = " ".join(next(line for line in said.splitlines() if "Platform  " in line).split())
    assert row == "Workloads / Platform 499 479 20"


def test_every_state_has_a_sign_of_its_own() -> None:
    assert set(SIGNS) == set(State)
    assert len({sign for sign, _ in SIGNS.values()}) == len(SIGNS)


def test_a_hostile_name_moves_no_cursor_and_colours_nothing() -> None:
    inputs = status_inputs(3)
    one = account_id(1)
    hostile = "\x1b[2J\u202e[bold red]x\r\n"
    accounts = dict(inputs.organization.accounts)
    accounts[one] = replace(accounts[one], name=hostile)
    said = printed(
        replace(inputs, organization=replace(inputs.organization, accounts=accounts)), width=160
    )
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "\\x1b[2J\\u202e[bold" in said
