"""What the commands write on which stream, by what was seen."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stacksets.__main__ import main
from stacksets.cli import apply, drift
from stacksets.cli.common import Stopped
from stacksets.observe.clients import Clients
from stacksets.observed.model import Operation
from stacksets.planners.rollout import plan
from stacksets.steps.inputs import Given
from stacksets.steps.model import Plan
from tests.stacksets.scene import changed, given, rolled_out, wanted

Sees = Callable[..., None]


@pytest.fixture
def sees(monkeypatch: pytest.MonkeyPatch) -> Sees:
    """Lets the commands see this, one after another, instead of AWS."""

    def show(*looks: Given) -> None:
        seen = iter([(one, plan(one)) for one in looks])
        monkeypatch.setattr(apply, "_planned", lambda _: (None, next(seen)))
        monkeypatch.setattr(apply, "_again", lambda *_: next(seen))

    return show


def refused() -> Given:
    """The file of another Organization, which enforces without a decision."""
    file = changed(("tolerance_percent = 10", 'mode = "enforce"'))
    return given(replace(file, organization="o-$(echo x)'\n;exit 0"))


def test_the_script_of_a_refused_plan_only_says_why_and_fails(
    sees: Sees, capsys: pytest.CaptureFixture[str]
) -> None:
    stops = plan(refused()).refusals
    assert len(stops) > 1
    for command in ("plan", "apply"):
        sees(refused())
        assert main([command, "--as-cli"]) == 1
        out, err = capsys.readouterr()
        assert err.count("refused: ") == err.count("\n") == len(stops)
        ran = subprocess.run(["bash"], input=out, text=True, capture_output=True, check=False)
        assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", err)
        assert out.count("\n") == len(stops) + 1


def busy() -> Given:
    """The first ring is still being installed."""
    seen = rolled_out()
    (name, one), *others = seen.stack_sets.items()
    running = replace(one, operations=(Operation("1-2-3", "CREATE", "RUNNING", ""),))
    return given(observed=replace(seen, stack_sets={name: running, **dict(others)}))


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """The plans that were walked: nothing else happens."""
    plans: list[Plan] = []

    def walk(_options: object, _clients: object, _release: object, made: Plan, **_: str) -> Any:
        plans.append(made)
        return {}

    monkeypatch.setattr(apply, "walk_steps", walk)
    monkeypatch.setattr(drift, "walk_steps", walk)
    return plans


def test_json_is_one_document_also_where_it_was_planned_anew(
    sees: Sees, walked: list[Plan], capsys: pytest.CaptureFixture[str]
) -> None:
    sees(busy(), given())
    assert main(["apply", "--json", "--yes"]) == 0
    content = json.loads(capsys.readouterr().out)
    first, then = plan(busy()), plan(given())
    assert walked == [first, then]
    assert content["unfinished"] is False
    assert [step["says"] for step in content["steps"]] == [
        step.says for step in (*first.steps, *then.steps)
    ]


def test_json_is_one_document_also_where_a_step_failed(
    sees: Sees, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object, **__: object) -> Any:
        raise Stopped("This step failed.")

    sees(given())
    monkeypatch.setattr(apply, "walk_steps", fails)
    assert main(["apply", "--json", "--yes"]) == 1
    out, err = capsys.readouterr()
    assert len(json.loads(out)["steps"]) == len(plan(given()).steps)
    assert err == "This step failed.\n"


def test_a_dry_run_adds_nothing_to_what_programs_read(
    sees: Sees, walked: list[Plan], capsys: pytest.CaptureFixture[str]
) -> None:
    for shape in ("--json", "--as-cli"):
        sees(given(), given())
        assert main(["apply", shape]) == 1
        without = capsys.readouterr()
        assert main(["apply", shape, "--dry-run"]) == 0
        dry = capsys.readouterr()
        assert (dry.out, without.err) == (without.out, "")
        assert dry.err.startswith("Dry run: ")
    assert walked == []


@pytest.mark.parametrize(("words", "code"), [([], 1), (["--yes"], 0)])
def test_repair_tells_programs_one_document_and_people_its_plan(
    words: list[str],
    code: int,
    walked: list[Plan],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = Plan(plan(given()).steps[:1])
    monkeypatch.setattr(drift, "read_chosen", lambda *_: wanted())
    monkeypatch.setattr(drift, "open_clients", lambda *_, **__: Clients("", NoAws(), NoAws()))
    found: Any = (given(observed=rolled_out()), [], {})
    monkeypatch.setattr(drift, "_looked", lambda *_: found)
    monkeypatch.setattr(drift, "to_look_into", lambda *_: set())
    monkeypatch.setattr(drift, "repairing", lambda *_: made)
    assert main(["drift", "--repair", "--json", *words]) == code
    out, err = capsys.readouterr()
    assert json.loads(out) == {"drifted": [], "not_looked_at": {}, "by_hand": []}
    assert "Switch trusted access for StackSets on" in err
    assert (made in walked) is bool(words)
    stopped = Plan((), ("Somebody is contained.",))
    monkeypatch.setattr(drift, "repairing", lambda *_: stopped)
    assert main(["drift", "--repair", "--json", *words]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out) == {"drifted": [], "not_looked_at": {}, "by_hand": []}
    assert "refused: Somebody is contained." in err


class NoAws:
    """A client of which nothing is asked."""

    def __call__(self, service: str, account: str) -> NoAws:
        return self
