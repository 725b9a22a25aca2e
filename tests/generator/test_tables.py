"""The documentation's tables: printed from the code, put between their marks, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.doc_tables import documents, tables
from generator.render import Rendered
from handler.model.deny_policy import DENIED_ACTIONS

ROOT = Path(__file__).parents[2]
# Trust policies of roles that one AWS service assumes: their Sid says it all.
SERVICES_TRUST = ("Lambda", "Event", "CloudTrail", "Scheduler")
# One sentence, no table.
SENTENCES = {"guardrail-size"}


@pytest.fixture
def templates(member: Rendered, central: Rendered) -> tuple[Rendered, ...]:
    return member, central


def test_a_table_is_put_between_its_marks_and_the_prose_stays(
    tmp_path: Path, templates: tuple[Rendered, ...]
) -> None:
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "deny.md"
    page.write_text("Before.\n\n<!-- table: denied-actions -->\nold\n<!-- end -->\n\nAfter.\n")
    text = documents(tmp_path, templates)[page].decode()
    assert text.startswith("Before.\n\n<!-- table: denied-actions -->\n\n| Denied ")
    assert text.endswith("|\n\n<!-- end -->\n\nAfter.\n")
    assert "\nold\n" not in text
    page.write_text(text)
    assert documents(tmp_path, templates)[page].decode() == text


def test_an_unknown_table_is_refused_with_one_sentence(
    tmp_path: Path, templates: tuple[Rendered, ...]
) -> None:
    (tmp_path / "README.md").write_text("<!-- table: nothing -->\n<!-- end -->\n")
    with pytest.raises(ValueError, match=r"^README.md: there is no table nothing$"):
        documents(tmp_path, templates)


def test_every_row_has_as_many_cells_as_its_head(templates: tuple[Rendered, ...]) -> None:
    for name, table in tables(templates).items():
        if name in SENTENCES:
            continue
        lines = table.replace("\\|", "").splitlines()
        assert {line.count("|") for line in lines} == {lines[0].count("|")}, name
        assert len(lines) > 2, name


def test_every_parameter_denied_action_and_statement_has_its_row(
    templates: tuple[Rendered, ...],
) -> None:
    printed = tables(templates)
    for one in templates:
        for parameter in one.tree["Parameters"]:
            assert f"| `{parameter}` " in printed[f"{one.name}-parameters"]
    for action, why in DENIED_ACTIONS.items():
        assert f"| `{action}` " in printed["denied-actions"]
        assert why in printed["denied-actions"]
    everywhere = "".join(printed.values())
    for one in templates:
        for line in one.yaml.splitlines():
            key, _, sid = line.strip().partition("Sid: ")
            if key in ("- ", "") and sid and not sid.startswith(SERVICES_TRUST):
                assert f" {sid} " in everywhere or sid.startswith("IamOrgRevokerDeny"), sid


def test_the_pages_show_every_table(templates: tuple[Rendered, ...]) -> None:
    pages = "".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))
    missing = [name for name in tables(templates) if f"<!-- table: {name} -->" not in pages]
    assert missing == []
