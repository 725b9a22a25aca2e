"""What the commands write on which stream, by what was seen."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest

from stacksets import rollout_commands
from stacksets.__main__ import main
from stacksets.given import Given
from stacksets.plan import plan
from tests.stacksets.scene import changed, given

Sees = Callable[..., None]


@pytest.fixture
def sees(monkeypatch: pytest.MonkeyPatch) -> Sees:
    """Lets the commands see this, one after another, instead of AWS."""

    def show(*looks: Given) -> None:
        seen = iter([(one, plan(one)) for one in looks])
        monkeypatch.setattr(rollout_commands, "_planned", lambda _: (None, next(seen)))
        monkeypatch.setattr(rollout_commands, "_again", lambda *_: next(seen))

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
