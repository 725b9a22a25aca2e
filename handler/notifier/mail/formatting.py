"""Text that no name can break: escaped, cut, wrapped to 72 columns, quoted. Pure."""

from __future__ import annotations

import re
import shlex
import textwrap
import time

from handler.notifier.messages.notice import visible

WIDTH = 72
VALUE_LIMIT = 400


def clip(text: str, limit: int = VALUE_LIMIT) -> str:
    """One line of printable ASCII, the middle left out where it is longer than that."""
    return shorten(visible(text), limit)


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the middle left out: both ends of a name tell it apart."""
    if len(text) <= limit:
        return text
    head = max(limit - 2, 0) // 2
    tail = max(limit - 2, 0) - head
    return f"{text[:head]}..{text[len(text) - tail :]}"[:limit]


def fill_text(text: str) -> str:
    """Wrap paragraphs and list items to WIDTH; lines that begin with two spaces stay."""
    blocks = re.split(r"\n{2,}", text.strip("\n"))
    return "\n\n".join("\n".join(_filled_block(block)) for block in blocks) + "\n"


def _filled_block(block: str) -> list[str]:
    lines = []
    for line in block.splitlines():
        words = " ".join(line.split())
        mark = re.match(r"- |[0-9]+\. ", words)
        hang = " " * (mark.end() if mark else 0)
        wrapped = textwrap.fill(words, WIDTH, subsequent_indent=hang, break_on_hyphens=False)
        lines.append(line if line.startswith("  ") else wrapped)
    return lines


def fact_lines(label: str, value: str) -> list[str]:
    """A row of a table of facts, its value hanging."""
    return textwrap.wrap(
        value,
        WIDTH,
        initial_indent=f"  {label:<9} ",
        subsequent_indent=" " * 12,
        break_on_hyphens=False,
    )


def item_lines(mark: str, value: str) -> list[str]:
    """An item of a list inside a block, its later lines hanging."""
    first = f"  {mark} "
    return textwrap.wrap(
        value,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_on_hyphens=False,
    )


def command_line(command: tuple[str, ...]) -> str:
    """The argument list as one line that a shell takes back apart into the same."""
    return " ".join(_quoted(argument) for argument in command)


def _quoted(argument: str) -> str:
    """One word of a shell command in printable ASCII.

    What is not printable ASCII is written as bash's $'...'. The quote itself is escaped by number
    there, so that a shell that does not know the form still sees one quoted word.
    """
    if argument.isascii() and argument.isprintable():
        return shlex.quote(argument)
    plain = (c if " " <= c <= "~" and c not in "\\'" else f"\\U{ord(c):08x}" for c in argument)
    return f"$'{''.join(plain)}'"


def time_text(epoch: float) -> str:
    """ISO 8601 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))
