"""What the file wants and no step of a plan can do: it is said, and never called nothing to do."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from stacksets.cli.apply import ended
from stacksets.cli.render_table import as_json, as_script, show_plan, summary
from stacksets.planners.rollout import plan
from stacksets.steps.model import Plan, Unreached
from tests.stacksets.scene import LARGE, THREE, TWO, changed, given, instance, rolled_out

SAID = (
    f"iam-org-revoker-everyone: 1 stack could not be deleted (INOPERABLE) and takes no updates: "
    f"{TWO}. Write each under [[excluded]] and run apply, which deletes the rest of the stack and "
    "keeps whoever is contained there; then take it out again and run apply."
)
EVERYONE = "iam-org-revoker-everyone"


def made(*, excluded: str = "") -> Plan:
    bad = instance(TWO, LARGE, status="INOPERABLE", detail="INOPERABLE")
    seen = rolled_out()
    broken = replace(seen.stack_sets[EVERYONE], instances={TWO: bad, THREE: instance(THREE, LARGE)})
    seen = replace(seen, stack_sets={**seen.stack_sets, EVERYONE: broken})
    file = f'[[excluded]]\naccount = "{excluded}"\nreason = "broken"\n[management]'
    return plan(given(changed(("[management]", file)) if excluded else None, seen))


def test_a_stack_that_could_not_be_deleted_is_what_no_step_reaches() -> None:
    found = made()
    assert (found.steps, found.refusals, found.notes) == ((), (), ())
    (one,) = found.unreached
    assert (one.ring, one.accounts, one.said) == ("everyone", (TWO,), SAID)
    assert not found.empty


def test_what_it_says_to_do_is_a_step_of_the_next_plan() -> None:
    found = made(excluded=TWO)
    assert found.unreached == ()
    assert [call.operation for call in found.calls()] == ["DeleteStackInstances"]


def test_it_is_not_called_nothing_to_do() -> None:
    assert summary(made()) == "No step is left; 1 account that no step reaches."
    some = replace(made(excluded=TWO), unreached=made().unreached)
    assert summary(some) == "1 step, 1 account; 1 account that no step reaches."


@pytest.mark.parametrize("shape", ["table", "json", "script"])
def test_every_shape_of_a_plan_has_it(shape: str, capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(given(), made(), for_program=shape == "json", by_hand=shape == "script")
    said = capsys.readouterr()
    if shape == "table":
        assert "not reached: " in said.out
        assert said.err == ""
    else:
        assert said.err == f"not reached: {SAID}\n"


def test_programs_get_the_accounts_and_what_to_do() -> None:
    (one,) = json.loads(as_json(made()))["unreached"]
    assert one["accounts"] == [TWO]
    assert f"{one['why']} {one['todo']}" == SAID


def test_a_script_has_it_as_a_comment_and_a_refused_one_does_nothing_else_than_say_why() -> None:
    lines = list(as_script(given(), made()))
    assert lines[-1] == f"# not reached: {SAID}"
    refused = list(as_script(given(), replace(made(), refusals=("no trail\nrm -rf /",))))
    assert refused[0].startswith("echo 'refused: no trail")
    assert refused[1:] == ["exit 1"]
    assert all("\n" not in line for line in lines + refused)


def test_an_apply_that_did_every_step_has_not_succeeded_while_something_is_not_reached(
    capsys: pytest.CaptureFixture[str],
) -> None:
    missed = Unreached("everyone", (TWO,), "It is stuck.", "Free it.")
    assert ended({}, Plan((), unreached=(missed,))) == 1
    assert capsys.readouterr().err == "not reached: It is stuck. Free it.\n"
    assert ended({}, Plan(())) == 0
