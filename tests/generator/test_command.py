"""python -m generator: writes, checks, prints sizes, and refuses in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generator.__main__ import main
from generator.render import Rendered

NEEDS_OUT = "templates/ holds the YAML with the code inside: give another form an --out"
ROOT = Path(__file__).parents[2]


def test_the_committed_templates_and_tables_are_not_stale(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_a_stale_file_is_named_and_the_difference_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(tmp_path)]) == 0
    member = tmp_path / "member.yaml"
    member.write_text(member.read_text().replace("MemorySize: 256", "MemorySize: 128"))
    capsys.readouterr()
    assert main(["--check", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"{member} is stale: run python -m generator\n")
    assert "\n-      MemorySize: 128\n+      MemorySize: 256\n" in said
    assert "central.yaml" not in said
    assert "MemorySize: 128" in member.read_text()


def test_a_missing_file_is_stale(tmp_path: Path) -> None:
    assert main(["--check", "--out", str(tmp_path)]) == 1
    assert list(tmp_path.iterdir()) == []


def test_writing_twice_gives_the_same_bytes_and_leaves_nothing_else(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path)]) == 0
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert main(["--out", str(tmp_path)]) == 0
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    assert first == {
        "member.yaml": (ROOT / "templates" / "member.yaml").read_bytes(),
        "central.yaml": (ROOT / "templates" / "central.yaml").read_bytes(),
        "guardrail.json": (ROOT / "templates" / "guardrail.json").read_bytes(),
    }


def test_a_failed_write_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "member.yaml").write_text("old")

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("os.replace", full)
    assert main(["--out", str(tmp_path)]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["member.yaml"]
    assert (tmp_path / "member.yaml").read_text() == "old"


def test_json_is_minified_and_is_what_the_size_counts(
    tmp_path: Path, member: Rendered, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(tmp_path), "--format", "json"]) == 0
    text = (tmp_path / "member.json").read_text()
    assert text == member.json + "\n"
    assert json.loads(text) == member.tree
    said = " ".join(capsys.readouterr().out.split())
    assert f"{len(member.json):,}" in said
    assert member.travels_as in said


def test_the_classic_form_writes_a_zip_beside_each_template(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path), "--code", "s3"]) == 0
    assert main(["--check", "--out", str(tmp_path), "--code", "s3"]) == 0
    suffixes = sorted(path.suffix for path in tmp_path.iterdir())
    assert suffixes == [".json", ".yaml", ".yaml", ".zip", ".zip"]


def test_team_and_runbook_end_up_in_the_mails_words(tmp_path: Path) -> None:
    runbook = "https://example.com/iam?step=1"
    assert main(["--out", str(tmp_path), "--team", "Blue Team", "--runbook", runbook]) == 0
    text = (tmp_path / "central.yaml").read_text()
    assert "to Blue Team." in text
    assert runbook in text
    assert "Blue Team" not in (tmp_path / "member.yaml").read_text()


def test_another_break_glass_role_ends_up_in_the_guardrail_alone(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path), "--break-glass", "role/fire/axe-*"]) == 0
    text = (tmp_path / "guardrail.json").read_text()
    assert '"arn:*:iam::*:role/fire/axe-*"' in text
    assert "break-glass" not in text
    assert "axe" not in (tmp_path / "member.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--break-glass", "role/**"],
            (
                "generator: --break-glass 'role/**': write role/PATH/NAME, "
                "with at least one character besides wildcards\n"
            ),
        ),
        (["--team", ""], "generator: --team '': give one line of at most 80 characters\n"),
        (["--code", "s3"], f"generator: {NEEDS_OUT}\n"),
        (["--format", "json"], f"generator: {NEEDS_OUT}\n"),
    ],
)
def test_bad_input_is_one_sentence_and_no_success(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == sentence


def test_a_folder_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["--out", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
