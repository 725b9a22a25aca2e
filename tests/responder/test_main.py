"""The command line: what it prints, on which stream, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from responder.__main__ import main
from tests.handler.judge.tables import ROOT, bases

BASES = bases()
MALLORY = "arn:aws:iam::111122223333:user/staff/mallory"


@pytest.fixture
def trail(tmp_path: Path) -> Path:
    path = tmp_path / "trail.json"
    records = [BASES["user"], BASES["root"], BASES["user"] | {"readOnly": True}]
    path.write_text(json.dumps({"Records": records}))
    return path


def test_the_table_shows_caller_reason_and_calls(
    trail: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(trail)]) == 0
    out, err = capsys.readouterr()
    (row,) = [line for line in out.splitlines() if MALLORY in line]
    assert [cell.strip() for cell in row.split("\u2502")[1:-1]] == [
        "loses IAM",
        "not-an-administrator",
        MALLORY,
        "1",
        "AttachUserPolicy 1",
    ]
    assert "3 records in 1 files: 2 IAM calls judged, 1 read-only IAM calls" in out
    assert "1 callers would have lost IAM, for 1 calls." in out
    assert "without --admin NAME every IAM user counts as no administrator" in out
    assert err == ""


def test_an_administrator_by_option_loses_nothing(
    trail: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "--admin", "alice", "--admin", "mallory", str(trail)]) == 0
    out = capsys.readouterr().out
    assert "loses IAM" not in out
    assert "0 callers would have lost IAM" in out
    assert "without --admin" not in out


def test_json_is_one_line_an_event_and_then_the_summary(
    trail: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "--json", str(trail)]) == 0
    first, second, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["caller"], first["action"], first["reason"]) == (
        MALLORY,
        "contain",
        "not-an-administrator",
    )
    assert second["reason"] == "root"
    assert summary == {
        "summary": {
            "files": 1,
            "unreadable": 0,
            "records": 3,
            "otherServices": 0,
            "readOnly": 1,
            "judged": 2,
            "actions": {"contain": 1, "critical": 1, "would-contain": 0, "report": 0, "ignore": 0},
            "callersContained": 1,
        }
    }


def test_an_unreadable_file_is_named_counted_and_does_not_stop_the_rest(
    trail: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (trail.parent / "a-broken.json").write_text("{")
    (trail.parent / "b-broken.json.gz").write_bytes(b"\x1f\x8bbroken")
    assert main(["replay", "--json", str(trail.parent)]) == 1
    out, err = capsys.readouterr()
    summary = json.loads(out.splitlines()[-1])["summary"]
    assert (summary["files"], summary["unreadable"], summary["judged"]) == (3, 2, 2)
    assert [line.split(": ")[0] for line in err.splitlines()] == [
        str(trail.parent / "a-broken.json"),
        str(trail.parent / "b-broken.json.gz"),
    ]


def test_what_a_record_says_cannot_write_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "[bold]x[/bold]\x1b[2J\u202e\nloses"
    record: dict[str, Any] = BASES["user"] | {"eventName": hostile}
    record["userIdentity"] = BASES["user"]["userIdentity"] | {"arn": f"arn:{hostile}"}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(record))
    assert main(["replay", str(path)]) == 0
    out = capsys.readouterr().out
    assert r"arn:[bold]x[/bold]\x1b[2J\u202e\nloses" in out
    assert "\x1b" not in out
    assert "\u202e" not in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["forgive"], "invalid choice: 'forgive'"),
        (["replay"], "the following arguments are required: FILE_OR_DIR"),
        (["replay", "/no/such/folder"], "there is no /no/such/folder"),
        (["replay", "--admin-role", "deploy", "."], "'deploy' is no administrator role pattern"),
        (["replay", "--admin-role", "role/a until 2026-02-30", "."], "no day of the calendar"),
    ],
)
def test_bad_usage_ends_with_2_and_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_folder_without_any_recording_is_bad_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "README.md").write_text("nothing")
    with pytest.raises(SystemExit) as ended:
        main(["replay", str(tmp_path)])
    assert ended.value.code == 2
    assert "no file in there ends in .json, .json.gz, .jsonl, .jsonl.gz" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_gets_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text((json.dumps(BASES["user"]) + "\n") * 5_000)
    with subprocess.Popen(
        [sys.executable, "-m", "responder", "replay", "--json", str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as responder:
        assert responder.stdout is not None
        assert responder.stderr is not None
        responder.stdout.readline()
        responder.stdout.close()
        assert responder.stderr.read() == b""
    assert responder.returncode == 1
