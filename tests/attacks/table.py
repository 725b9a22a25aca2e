"""The table of attacks and how they end, printed from the rows that are played; and their numbers.

`python -m tests.attacks.table` writes both into docs/attacks.md.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tests.attacks.rows import Row
from tests.attacks.scenarios.all import ROWS

DOCUMENT = Path(__file__).parents[2] / "docs" / "attacks.md"
_TABLE = re.compile(r"(<!-- rows -->\n).*(<!-- end -->)", re.DOTALL)


def printed(rows: tuple[Row, ...] = ROWS) -> str:
    """The rows as a table in Markdown."""
    head = ("Row", "Attack", "By", "Calls", "What it gives, as told", "How it ends")
    lines = ["| " + " | ".join(head) + " |", "|" + "-----|" * len(head)]
    for row in rows:
        cells = (
            str(row.row),
            row.title,
            row.caller,
            _calls(row.calls),
            _listed(row.gave),
            _listed(tuple(_ends(row))),
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def counted(rows: tuple[Row, ...] = ROWS) -> str:
    """How many attacks end how, by the mail of each: a sentence for the README too."""
    ends = Counter(row.mail for row in rows)
    return (
        f"{len(rows)} attacks by {len({row.row for row in rows})} methods: "
        f"{ends['[IAM revoked]']} end with the attacker contained, "
        f"{ends['[CRITICAL: not contained]']} with a critical mail because no deny holds, "
        f"{ends['[Revoker tampered]']} with a mail about tampering; "
        f"{ends['[IAM notice]'] + ends['']} are spared."
    )


def with_table(text: str) -> str:
    return _TABLE.sub(lambda found: f"{found[1]}\n{counted()}\n\n{printed()}\n{found[2]}", text)


def _ends(row: Row) -> list[str]:
    """Who is contained and who is not, then everything else that is checked."""
    words = list(row.contained)
    ends = [f"{_and(words)} contained"] if words else ["nobody contained"]
    ends += [f"the sessions of {word} contained" for word in row.sessions]
    if row.waits:
        ends.append("at the latest after the wait for a proof, by reconciliation")
    return ends + [_plain(outcome.says) for outcome in row.ends]


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _calls(calls: tuple[str, ...]) -> str:
    counted = dict.fromkeys(calls)
    said = [f"{call} x {n}" if (n := calls.count(call)) > 2 else call for call in counted]
    return ", ".join(said) or "none succeeds"


def _listed(texts: tuple[str, ...]) -> str:
    """Several of one kind are told once."""
    short = dict.fromkeys(re.sub(r"-\d+\}", "-N}", text) for text in texts)
    return "; ".join(map(_plain, short)) or "nothing"


def _plain(text: str) -> str:
    """Names as words: {mallory} is whoever plays mallory."""
    return re.sub(r"\{([a-zA-Z0-9-]+)\}", r"\1", text).removesuffix(".")


def main() -> None:
    DOCUMENT.write_text(with_table(DOCUMENT.read_text()))


if __name__ == "__main__":
    main()
