"""The words of the mails: rendered with what belongs to the organization, carried as a constant."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from generator.render import Rendered
from generator.source.mail_texts import House, read_house, render_words, words_module
from handler.model.report import Disposition

MAIL = Path(__file__).parents[3] / "templates" / "mail"


def constant(source: str) -> dict[str, str]:
    """MAIL_WORDS in a module's source, evaluated."""
    (assigned,) = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "MAIL_WORDS"
    ]
    assert assigned.value is not None
    return dict(ast.literal_eval(assigned.value))


def test_every_source_is_rendered_but_those_that_are_parts_of_others(tmp_path: Path) -> None:
    (tmp_path / "told.txt.j2").write_text('$who\n\n{% include "_end.txt.j2" %}\n')
    (tmp_path / "_end.txt.j2").write_text(
        "To {{ team }}.{% if runbook %} See {{ runbook }}{% endif %}\n"
    )
    assert render_words(tmp_path, House(team="Blue")) == {"told": "$who\n\nTo Blue.\n\n"}
    house = House(team="Blue", runbook="https://example.com/iam")
    assert render_words(tmp_path, house) == {
        "told": "$who\n\nTo Blue. See https://example.com/iam\n\n"
    }


def test_a_word_that_nobody_gives_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "told.txt.j2").write_text("{{ teem }}")
    with pytest.raises(UndefinedError, match="teem"):
        render_words(tmp_path, House())


@pytest.mark.parametrize(
    "text",
    [
        "one line\n",
        "no end of line",
        "",
        "\n\n",
        "$placeholder and 'quotes' and \"more\" and \\ and {braces}\n",
        "caf\u00e9 \U0001f512 \u202e\n",
        "  blanks at both ends  \n",
        "a long line " * 30 + "\n",
        "https://example.com/" + "x" * 200 + "\n",
    ],
)
def test_the_constant_is_readable_ascii_and_gives_the_text_back(text: str) -> None:
    source = words_module({"told": text, "contained": "x\n"})
    assert source.isascii()
    assert constant(source) == {"told": text, "contained": "x\n"}
    if "x" * 200 not in text:
        assert max(map(len, source.splitlines())) <= 100


def test_the_notifier_carries_the_rendered_words(central: Rendered) -> None:
    assert constant(central.code.index) == render_words(MAIL, House())


def test_there_are_words_for_every_disposition() -> None:
    kinds = {disposition.value for disposition in Disposition}
    assert kinds | {"tampered", "rejected"} <= render_words(MAIL, House()).keys()


@pytest.mark.parametrize(
    ("team", "runbook", "sentence"),
    [
        ("", "", "--team '': give one line of at most 80 characters"),
        ("two\nlines", "", r"--team 'two\\nlines': give one line of at most 80 characters"),
        ("Blue", "javascript:x", "--runbook 'javascript:x': give a URL that begins with https://"),
        ("Blue", "https://a b", "--runbook 'https://a b': give a URL that begins with https://"),
    ],
)
def test_what_is_no_name_or_no_url_is_refused_with_one_sentence(
    team: str, runbook: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        read_house(team=team, runbook=runbook)
