"""Order the modules of a joined file so that it reads top to bottom, and list them by line.

Chapters are the rooms of handler/. First comes what all speak, then the entry and what it calls.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LINE_LENGTH = 100
# The rooms in the order of the story; a test holds that none is missing.
STORIES: dict[str, tuple[str, ...]] = {
    "revoker": (
        *("model", "revoker", "revoker.respond", "revoker.judge", "revoker.deny"),
        *("revoker.impacts", "revoker.remediate", "revoker.state", "revoker.reconcile"),
        "revoker.requests",
    ),
    "notifier": (
        *("model", "notifier", "notifier.messages", "notifier.mail", "notifier.store"),
        "notifier.send",
    ),
}


@dataclass(frozen=True)
class Module:
    """One handler module, taken apart. `at_import` are the names that it reads when imported."""

    name: str
    title: tuple[str, ...]
    body: str
    needs: tuple[str, ...]
    plain_imports: frozenset[str]
    from_imports: frozenset[tuple[str, str]]
    taken: frozenset[tuple[str, str]]
    defines: tuple[str, ...]
    at_import: frozenset[str] = frozenset()

    @property
    def chapter(self) -> str:
        """The dotted name of its room, below handler."""
        return ".".join(self.name.split(".")[1:-1])


def read_chapters(folder: Path, product: str) -> dict[str, str]:
    """Return the chapters of a function by room, in reading order: what each room is for."""
    found = {}
    for chapter in STORIES[product]:
        path = folder.joinpath(*chapter.split("."), "__init__.py")
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found[chapter] = text.partition(".")[0] + "."
    return found


def in_reading_order(modules: Sequence[Module], chapters: Sequence[str]) -> list[Module]:
    """Order `modules`, which come in the order of their imports with the entry last, by chapter.

    Within the first chapter the order stays; in the others callers come before what they call.
    ValueError, with a sentence, when something would be read at import before it is defined.
    """
    if not chapters:
        return list(modules)
    first, *others = chapters
    story = list(reversed(modules))
    ordered = [module for module in modules if module.chapter == first]
    for chapter in (*others, *(m.chapter for m in story if m.chapter not in chapters)):
        for module in story:
            if module.chapter == chapter:
                _add(module, story, ordered)
    _check(ordered)
    return ordered


def names_read_at_import(tree: ast.Module) -> frozenset[str]:
    """Return the names that a module reads when it is imported: all but functions' bodies."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        parts = ast.iter_child_nodes(node)
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                defaults = (*node.args.defaults, *node.args.kw_defaults)
                parts = iter([*node.decorator_list, *(one for one in defaults if one)])
            case ast.Lambda():
                return
            case ast.AnnAssign():
                # Annotations are postponed: every module begins with `from __future__`.
                parts = iter([node.value] if node.value else [])
            case ast.Name(ctx=ast.Load()):
                found.add(node.id)
        for part in parts:
            visit(part)

    for statement in tree.body:
        visit(statement)
    return frozenset(found)


def table_of_contents(text: str, chapters: Mapping[str, str], *, above: int) -> list[str]:
    """Return a line for each chapter of `text`: where it begins, its room, what it is for.

    `above` is how many lines will stand above `text` in the file.
    """
    width = max(map(len, chapters))
    heads = {heading(chapter): chapter for chapter in chapters}
    return [
        f"{number:6,}  {path_of(heads[line]):{width}}  {chapters[heads[line]]}"
        for number, line in enumerate(text.splitlines(), start=above + 1)
        if line in heads
    ]


def heading(chapter: str) -> str:
    """Return the line that opens a chapter."""
    rule = f"# ==== {path_of(chapter)} "
    return rule + "=" * (LINE_LENGTH - len(rule))


def path_of(dotted: str) -> str:
    """Return the room's path below handler/."""
    return dotted.replace(".", "/")


def _add(module: Module, story: Sequence[Module], ordered: list[Module]) -> None:
    """Append the module behind those of its chapter that define what it reads at import."""
    if module in ordered:
        return
    for other in story:
        same = other.chapter == module.chapter and other is not module
        if same and module.at_import.intersection(other.defines):
            _add(other, story, ordered)
    ordered.append(module)


def _check(ordered: Sequence[Module]) -> None:
    place = {name: number for number, module in enumerate(ordered) for name in module.defines}
    for number, module in enumerate(ordered):
        for name in sorted(module.at_import):
            if place.get(name, -1) > number:
                raise ValueError(
                    f"{module.name} reads {name} at import, and {ordered[place[name]].name}, "
                    "which defines it, comes later: put its chapter first, in reading_order.py"
                )
