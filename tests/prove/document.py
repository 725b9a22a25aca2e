"""The table of docs/proof.md, printed from a proof that was played in the sandbox.

`python -m tests.prove.document` writes the table; with the word `play` it plays the proof first and
writes docs/examples/proof.json.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from sandbox.box import open_box
from tests.prove.proving import ROOT, installed

DOCUMENT = ROOT / "docs" / "proof.md"
EXAMPLE = ROOT / "docs" / "examples" / "proof.json"
_TABLES = re.compile(r"(<!-- proof -->\n).*(<!-- end -->)", re.DOTALL)


def printed(proof: dict[str, Any]) -> str:
    """Rows and checks in Markdown, with an empty column for AWS."""
    lines = ["| Row | Attack | Expected | Emulator | s: event, deny, mail | AWS |", "|-|-|-|-|-|-|"]
    for one in proof["rows"]:
        seconds = ", ".join(_seconds(one["seconds"][name]) for name in ("event", "deny", "mail"))
        measured = seconds.strip(", -")
        cells = (one["row"], one["title"], one["expected"], one["seen"], measured and seconds, "")
        lines.append(_line(*cells))
    lines += ["", "| Check | Asked | Emulator | s | AWS |", "|-|-|-|-|-|"]
    for one in proof["checks"]:
        lines.append(_line(one["name"], one["asks"], one["seen"], _seconds(one["seconds"]), ""))
    return "\n".join(lines) + "\n"


def with_tables(text: str) -> str:
    proof = json.loads(EXAMPLE.read_text())
    return _TABLES.sub(lambda found: f"{found[1]}\n{printed(proof)}\n{found[2]}", text)


def _line(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def play() -> None:
    """Play every row in a box of its own."""
    with open_box(member_count=1, held=True) as box, tempfile.TemporaryDirectory() as folder:
        code, out, errors = installed(box, Path(folder)).run("--yes", "--json", str(EXAMPLE))
    print(out, errors)
    if code:
        raise SystemExit(code)


def main() -> None:
    if sys.argv[1:] == ["play"]:
        play()
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text()))


if __name__ == "__main__":
    main()
