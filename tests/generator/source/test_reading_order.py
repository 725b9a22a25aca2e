"""The joined file reads top to bottom: contents, model, entry, callers before what they call."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generator.render import Rendered, render
from generator.source.join_modules import join_modules
from generator.source.mail_texts import House
from generator.source.reading_order import STORIES

HANDLER = Path(__file__).parents[3] / "handler"
CHAPTERS = {"model": "Values.", "entry": "The entry.", "entry.steps": "What it calls."}
SOURCES = {
    "handler.model.limits": "LIMIT = 3\n",
    "handler.entry.main": (
        "from handler.entry.steps.first import begin\n\n\n"
        "def lambda_handler():\n    return begin()\n"
    ),
    "handler.entry.steps.first": (
        "from handler.entry.steps.second import go_on\nfrom handler.model.limits import LIMIT\n\n\n"
        "def begin():\n    return go_on(LIMIT)\n"
    ),
    "handler.entry.steps.second": "def go_on(limit):\n    return limit\n",
}


def joined(**changed: str) -> str:
    sources = SOURCES | {
        f"handler.{name.replace('__', '.')}": text for name, text in changed.items()
    }
    return join_modules(
        entry="handler.entry.main", sources=sources, title="Title.\n", chapters=CHAPTERS
    )


def modules_of(code: str) -> list[str]:
    return re.findall(r"^# ---- handler/(\S+)\.py -", code, re.MULTILINE)


def test_the_model_comes_first_then_the_entry_then_callers_before_what_they_call() -> None:
    assert modules_of(joined()) == [
        *("model/limits", "entry/main", "entry/steps/first", "entry/steps/second"),
    ]


def test_what_a_module_reads_at_import_stands_above_it() -> None:
    code = joined(
        entry__steps__first=(
            "from handler.entry.steps.second import go_on\n\nTABLE = {1: go_on}\n\n\n"
            "def begin():\n    return TABLE[1]\n"
        )
    )
    assert modules_of(code)[1:] == ["entry/steps/second", "entry/steps/first"]


@pytest.mark.parametrize(
    "use",
    [
        "KEPT = begin",
        "def lambda_handler(act=begin):\n    return act()",
        "@begin\ndef lambda_handler():\n    return 1",
        "class Kept(begin):\n    pass",
        "class Kept:\n    act = begin",
        "KEPT: object = begin",
    ],
)
def test_an_order_that_reads_at_import_what_comes_later_is_refused_by_name(use: str) -> None:
    with pytest.raises(
        ValueError, match=r"^handler\.entry\.main reads begin at import, and handler"
    ):
        joined(entry__main=f"from handler.entry.steps.first import begin\n\n\n{use}\n")


@pytest.mark.parametrize(
    "use",
    [
        "def lambda_handler(act: begin) -> begin:\n    return begin()",
        "KEPT: begin",
        "KEPT = lambda: begin()",
    ],
)
def test_what_is_read_when_called_may_come_later(use: str) -> None:
    assert "begin" in joined(
        entry__main=f"from handler.entry.steps.first import begin\n\n\n{use}\n"
    )


@pytest.fixture(scope="module")
def rendered() -> tuple[Rendered, ...]:
    return render(house=House())


def test_the_table_of_contents_says_the_line_of_each_chapter(
    rendered: tuple[Rendered, ...],
) -> None:
    for one, story in zip(rendered, STORIES.values(), strict=True):
        lines = one.code.index.splitlines()
        begin = lines.index("The chapters, by line:") + 2
        entries = [line.split(maxsplit=2) for line in lines[begin : begin + len(story)]]
        assert [room for _, room, _ in entries] == [one.replace(".", "/") for one in story]
        for number, room, says in entries:
            first = int(number.replace(",", "")) - 1
            assert lines[first].startswith(f"# ==== {room} ===")
            assert lines[first + 1] == f"# {says}"


def test_every_room_of_the_handler_stands_in_a_story() -> None:
    rooms = {
        ".".join(path.parent.relative_to(HANDLER).parts) for path in HANDLER.rglob("*/__init__.py")
    }
    assert rooms == set(STORIES["revoker"]) | set(STORIES["notifier"])
