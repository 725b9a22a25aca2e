"""A function's forked process is as a new one would be, and ends when it is told to."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.core.forks import Forked, ForkServer, can_fork

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(not can_fork(), reason="only Linux has what forking needs")


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    server = ForkServer({"PATH": os.environ["PATH"]})
    yield server
    server.close()


def started(server: ForkServer, folder: Path, text: str, **environment: str) -> Forked:
    script = folder / "script.py"
    script.write_text(textwrap.dedent(text))
    return server.start(
        str(script), folder=str(folder), environment=environment, requests=folder
    )


def test_it_has_its_own_environment_folder_and_streams(server: ForkServer, tmp_path: Path) -> None:
    process = started(
        server,
        tmp_path,
        """
        import os, sys
        print(sys.stdin.readline().strip(), os.environ["WHO"], len(os.environ), os.getcwd())
        print("to the other stream", file=sys.stderr)
        """,
        WHO="mallory",
    )
    process.stdin.write("asked\n")
    assert process.wait(timeout=10) == 0
    assert process.stdout.read() == f"asked mallory 1 {tmp_path}\n"
    assert process.stderr.read() == "to the other stream\n"


def test_it_runs_the_code_of_its_own_folder(server: ForkServer, tmp_path: Path) -> None:
    said = []
    for word in ("first", "second"):
        folder = tmp_path / word
        folder.mkdir()
        (folder / "index.py").write_text(f"WORD = {word!r}\n")
        process = started(server, folder, "import index\nprint(index.WORD, index.__file__)\n")
        process.wait(timeout=10)
        said.append(process.stdout.read().split())
    assert said == [[word, str(tmp_path / word / "index.py")] for word in ("first", "second")]


def test_it_ends_when_it_is_told_to_and_with_its_own_last_line(
    server: ForkServer, tmp_path: Path
) -> None:
    waiting = started(server, tmp_path, "import sys\nsys.stdin.readline()\n")
    assert waiting.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(timeout=0.01)
    waiting.kill()
    assert waiting.wait(timeout=10) is not None
    failing = started(server, tmp_path, "raise ValueError('spoiled')\n")
    failing.wait(timeout=10)
    assert "ValueError: spoiled" in failing.stderr.read()


def test_functions_run_in_new_processes_where_none_can_be_forked() -> None:
    """The way of every system but Linux: one box, one function, one answer."""
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_FORKS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout == "answered 5\n", done.stderr


_WITHOUT_FORKS = """
import io, json, zipfile
import sandbox.core.emulator
sandbox.core.emulator.can_fork = lambda: False
from sandbox.box import open_box
packed = io.BytesIO()
with zipfile.ZipFile(packed, "w") as archive:
    archive.writestr("index.py", "def add(event, context):\\n    return sum(event)\\n")
with open_box(member_count=1) as box:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    trust["Principal"] = {"Service": "lambda.amazonaws.com"}
    role = box.client("iam", box.security).create_role(
        RoleName="adder", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
    )["Role"]["Arn"]
    functions = box.client("lambda", box.security)
    functions.create_function(
        FunctionName="adder", Runtime="python3.13", Handler="index.add", Role=role,
        Code={"ZipFile": packed.getvalue()},
    )
    answer = functions.invoke(FunctionName="adder", Payload="[2, 3]")
    print("answered", answer["Payload"].read().decode())
"""
