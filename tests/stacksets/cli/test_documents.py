"""What the documents of the rollout say is what the code does."""

from __future__ import annotations

import ast
from pathlib import Path

from stacksets.permissions.operator import markdown

ROOT = Path(__file__).parents[3]


def test_the_operators_permissions_are_printed_by_the_code() -> None:
    document = (ROOT / "docs" / "operator-permissions.md").read_text()
    assert document.endswith(markdown())


def test_every_key_of_the_file_is_explained() -> None:
    explained = (ROOT / "docs" / "rollout.md").read_text()
    asked = {
        node.args[0].value
        for name in ("config/load.py", "config/recipients.py")
        for node in ast.walk(ast.parse((ROOT / "stacksets" / name).read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr
        in ("text", "choice", "number", "flag", "day", "texts", "section", "sections")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert len(asked) > 20
    for key in asked:
        assert f"`{key!s}`" in explained, key
