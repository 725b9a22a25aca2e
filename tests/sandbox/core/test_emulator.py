"""The sandbox keeps to itself: loopback, own folder, own environment, nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.box import Box, open_box
from tests.sandbox.parts import function

ROOT = Path(__file__).parents[3]

WHOLE_LIFE = """
import json, os, threading
os.environ["AWS_PROFILE"], os.environ["HTTPS_PROXY"] = "somebody", "http://192.0.2.1:3128"
from pathlib import Path
from sandbox.box import open_box
from tests.sandbox.core.test_emulator import listening
from tests.sandbox.parts import function

def children():
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()

said = []
for round in range(2):
    with open_box(member_count=1) as box:
        function(box, box.members[0], "busy", "def handler(event, context): return 1")
        answer = box.client("lambda", box.members[0]).invoke(FunctionName="busy")
        said.append({
            "inside": [box.folder.exists(), bool(listening()), answer["Payload"].read().decode()],
            "environment": [os.environ.get("AWS_PROFILE"), os.environ.get("HTTPS_PROXY")],
        })
    said[-1]["after"] = [box.folder.exists(), listening(), children()]
    said[-1]["environment after"] = [os.environ.get("AWS_PROFILE"), os.environ.get("AUTH")]
print(json.dumps(said))
"""

TWO_LIVES = """
import json
from sandbox.box import open_box
from tests.sandbox.parts import allow, messages, queue, role

for skipped in (3 * 86_400, 901):
    with open_box(member_count=1) as box:
        account = box.members[0]
        target = queue(box, account, "q")
        may = role(
            box, account, "r", allow("sqs:SendMessage", target), service="scheduler.amazonaws.com"
        )
        box.client("scheduler", account).create_schedule(
            Name="s",
            ScheduleExpression="rate(15 minutes)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": target, "RoleArn": may},
        )
        box.advance(skipped)
        box.tick()
        box.settle()
        print(len(messages(box, target)))
"""


def listening() -> list[str]:
    """The addresses on which this process listens, "127.0.0.1" or in the kernel's own digits."""
    own = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(descriptor)
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            own.add(target[8:-1])
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in own:
                address = fields[1].partition(":")[0]
                found.append("127.0.0.1" if address == "0100007F" else address)
    return found


def test_it_listens_on_loopback_and_nowhere_else(box: Box) -> None:
    assert set(listening()) == {"127.0.0.1"}
    assert box.endpoint.startswith("http://127.0.0.1:")


@pytest.mark.usefixtures("box")
def test_a_process_holds_one_box_at_a_time() -> None:
    with pytest.raises(RuntimeError, match="one at a time"), open_box():
        pass


def test_a_second_life_starts_empty_and_neither_leaves_anything() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WHOLE_LIFE],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    life = {
        "inside": [True, True, "1"],
        "environment": [None, None],
        "after": [False, [], []],
        "environment after": ["somebody", None],
    }
    assert json.loads(done.stdout) == [life, life]


def test_a_schedule_does_not_wait_for_the_clock_of_a_life_before() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TWO_LIVES],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "1"]


def test_a_function_sees_its_role_and_the_box_but_not_the_host(
    box: Box, account: str, monkeypatch: Any
) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "of the host")
    code = "import os\ndef handler(event, context): return dict(os.environ)"
    function(box, account, "look", code, COLOUR="blue")
    answer = box.client("lambda", account).invoke(FunctionName="look")
    seen = json.loads(answer["Payload"].read())
    assert seen["AWS_ENDPOINT_URL"] == box.endpoint
    assert seen["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert seen["AWS_REGION"] == "us-east-1"
    assert seen["COLOUR"] == "blue"
    assert seen["TMPDIR"].startswith(str(box.folder))
    assert not {"DATABASE_PASSWORD", "AUTH", "GATEWAY_PORT", "PYTEST_CURRENT_TEST"} & set(seen)
