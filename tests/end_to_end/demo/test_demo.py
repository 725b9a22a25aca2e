"""`python -m sandbox.demo` as a stranger runs it: it tells the truth and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.demo.scenarios import SCENES

ROOT = Path(__file__).parents[3]

BROKEN = """
import sys
from sandbox.demo import __main__ as demo
from sandbox.demo.scene import Scene, Seen
demo.SCENES = (Scene("A scene that does not hold", lambda stage: iter([Seen("holds", False)])),)
sys.exit(demo.main())
"""


def run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process group of its own, its temporary files below `tmp_path`."""
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "COLUMNS": "100"}
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as running:
        try:
            said, _ = running.communicate(timeout=150)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            raise
    # Whatever it started belongs to its group; a group without a process is no group.
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)
    return subprocess.CompletedProcess(running.args, running.returncode, said)


def test_the_demo_meets_all_expectations_and_leaves_no_process_and_no_folder(
    tmp_path: Path,
) -> None:
    done = run(tmp_path, "-m", "sandbox.demo.__main__")
    assert done.returncode == 0, done.stdout
    assert "All expectations met" in done.stdout
    assert "FAIL" not in done.stdout
    missing = [scene.title for scene in SCENES if scene.title not in done.stdout]
    assert missing == []
    for subject in ("[IAM would be revoked]", "[IAM revoked]", "[CRITICAL: not contained]"):
        assert f"Subject: {subject}" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_demo_ends_non_zero_when_an_expectation_fails(tmp_path: Path) -> None:
    done = run(tmp_path, "-c", BROKEN)
    assert done.returncode == 1
    assert "1 expectations failed" in done.stdout
    assert list(tmp_path.iterdir()) == []
