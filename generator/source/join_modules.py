"""Join handler modules into one readable index.py; changes only imports and module docstrings.

Nothing is rewritten: a module that cannot be joined as it stands is refused, with one sentence.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

from generator.source.reading_order import (
    LINE_LENGTH,
    Module,
    heading,
    in_reading_order,
    names_read_at_import,
    table_of_contents,
)

PACKAGE = "handler"
RUNTIME = frozenset({"boto3", "botocore"})


def read_sources(folder: Path) -> dict[str, str]:
    """Source of every module of the package in that folder, by dotted name."""
    return {
        ".".join((PACKAGE, *path.relative_to(folder).with_suffix("").parts)): path.read_text(
            encoding="utf-8"
        )
        for path in sorted(folder.rglob("*.py"))
        if path.stem != "__init__"
    }


def join_modules(
    *, entry: str, sources: Mapping[str, str], title: str, chapters: Mapping[str, str] | None = None
) -> str:
    """Return the import closure of `entry` (a dotted name) as the text of one file.

    With `chapters` (what each room is for, in reading order) a table of contents stands on top;
    without, the order is that of the imports. ValueError with one sentence that names module and
    line when something cannot be joined.
    """
    modules = _closure(entry, sources, done=[], path=())
    _check_names(modules)
    ordered = in_reading_order(modules, list(chapters or ()))
    if chapters:
        sections = [
            "\n\n".join([f"{heading(chapter)}\n# {chapters[chapter]}", *map(_section, of_it)])
            for chapter, of_it in groupby(ordered, key=lambda module: module.chapter)
        ]
    else:
        sections = list(map(_section, ordered))
    code = "\n\n".join([_imports(modules), *sections]) + "\n"
    if chapters:
        title = f"{title}\nThe chapters, by line:\n\n"
        # Behind the table stand the closing quotes and an empty line.
        above = title.count("\n") + len(chapters) + 2
        title += "".join(f"{line}\n" for line in table_of_contents(code, chapters, above=above))
    joined = f'"""{title}"""\n\n{code}'
    compile(joined, "index.py", "exec")
    return joined


def _closure(
    name: str, sources: Mapping[str, str], *, done: list[Module], path: tuple[str, ...]
) -> list[Module]:
    if name in path:
        raise ValueError(f"{' imports '.join((*path, name))}: a circle cannot be joined")
    if any(module.name == name for module in done):
        return done
    if name not in sources:
        raise ValueError(f"{path[-1] if path else 'the entry'}: there is no module {name}")
    module = _take_apart(name, sources[name])
    for need in module.needs:
        _closure(need, sources, done=done, path=(*path, name))
    done.append(module)
    return done


def _take_apart(name: str, source: str) -> Module:
    _check_text(name, source)
    tree = ast.parse(source)
    _check_imports(name, tree)
    gone = [node for node in tree.body if _is_dropped(node)]
    top = [node for node in gone if isinstance(node, ast.Import | ast.ImportFrom)]
    from_imports = [node for node in top if isinstance(node, ast.ImportFrom)]
    ours = [node for node in from_imports if str(node.module).startswith(f"{PACKAGE}.")]
    return Module(
        name=name,
        title=tuple((ast.get_docstring(tree) or "").splitlines()),
        body=_without(source, gone),
        needs=tuple(dict.fromkeys(str(node.module) for node in ours)),
        plain_imports=frozenset(
            alias.name for node in top if isinstance(node, ast.Import) for alias in node.names
        ),
        from_imports=frozenset(
            (str(node.module), alias.name)
            for node in from_imports
            if node not in ours and node.module != "__future__"
            for alias in node.names
            if alias.name != "TYPE_CHECKING"
        ),
        taken=frozenset((str(node.module), alias.name) for node in ours for alias in node.names),
        defines=tuple(binding for node in tree.body for binding in _bindings(node)),
        at_import=names_read_at_import(tree),
    )


def _check_text(name: str, source: str) -> None:
    for number, line in enumerate(source.splitlines(), start=1):
        if not line.isascii():
            raise ValueError(f"{name}, line {number}: not ASCII, CloudFormation would spoil it")
        if "\t" in line:
            raise ValueError(f"{name}, line {number}: a tab, the template could not show the code")
        if line != line.rstrip():
            raise ValueError(f"{name}, line {number}: blanks at the end, YAML would quote the code")


def _check_imports(name: str, tree: ast.Module) -> None:
    """Refuse each import that would mean something else, or nothing, in one file."""
    skipped = {
        id(node) for block in tree.body if _is_type_checking(block) for node in ast.walk(block)
    }
    top = {id(node) for node in tree.body}
    inner = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom) or id(node) in skipped:
            continue
        where = f"{name}, line {node.lineno}"
        if id(node) not in top and id(node) not in inner:
            raise ValueError(f"{where}: an import under a condition cannot be joined")
        _check_import(where, node, inside=id(node) in inner)


def _check_import(where: str, node: ast.Import | ast.ImportFrom, *, inside: bool) -> None:
    if isinstance(node, ast.ImportFrom) and node.level:
        raise ValueError(f"{where}: a relative import; write from {PACKAGE}.x import name")
    if any(alias.asname for alias in node.names):
        raise ValueError(f"{where}: an alias; import the name itself")
    if any(alias.name == "*" for alias in node.names):
        raise ValueError(f"{where}: a star import; import the names")
    targets = [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
    for target in map(str, targets):
        root = target.partition(".")[0]
        if root == PACKAGE and (inside or isinstance(node, ast.Import) or target == PACKAGE):
            raise ValueError(
                f"{where}: write from {PACKAGE}.x import name, at the top of the module"
            )
        if root in RUNTIME and not inside:
            raise ValueError(f"{where}: import {root} inside the function that needs it")
        if root not in {PACKAGE, *RUNTIME} and root not in sys.stdlib_module_names:
            raise ValueError(f"{where}: {root} is not in Lambda's runtime")


def _is_dropped(node: ast.stmt) -> bool:
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_docstring or isinstance(node, ast.Import | ast.ImportFrom) or _is_type_checking(node)


def _is_type_checking(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
        and not node.orelse
    )


def _without(source: str, gone: list[ast.stmt]) -> str:
    """The source without those statements and the blank lines right behind each."""
    lines: list[str | None] = list(source.splitlines())
    for node in gone:
        end = node.end_lineno or node.lineno
        lines[node.lineno - 1 : end] = [None] * (end - node.lineno + 1)
        while end < len(lines) and lines[end] == "":
            lines[end] = None
            end += 1
    return "\n".join(line for line in lines if line is not None).strip("\n")


def _bindings(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            for target in targets:
                yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case ast.If() | ast.For() | ast.While() | ast.With() | ast.Try():
            blocks = [getattr(node, part, []) for part in ("body", "orelse", "finalbody")]
            yield from (name for block in blocks for inner in block for name in _bindings(inner))


def _check_names(modules: list[Module]) -> None:
    """Refuse a name that two modules would share in one file, and one that nobody defines."""
    owner: dict[str, str] = {}
    for module in modules:
        for name in module.defines:
            if name in owner:
                raise ValueError(f"{name} is defined twice, in {owner[name]} and {module.name}")
            owner[name] = module.name
    for module in modules:
        for source, name in sorted(module.taken):
            if owner.get(name) != source:
                raise ValueError(f"{module.name} imports {name}, which {source} does not define")
    meaning: dict[str, str] = {}
    for name, what in _hoisted(modules):
        if name in owner:
            raise ValueError(f"{name} is both defined in {owner[name]} and imported by {what}")
        if meaning.setdefault(name, what) != what:
            raise ValueError(f"{name} means two things: {meaning[name]} and {what}")


def _hoisted(modules: list[Module]) -> Iterator[tuple[str, str]]:
    for module in modules:
        yield from ((name.partition(".")[0], "import") for name in sorted(module.plain_imports))
        yield from ((name, f"from {source}") for source, name in sorted(module.from_imports))


def _imports(modules: list[Module]) -> str:
    plain = sorted({name for module in modules for name in module.plain_imports})
    pairs = {pair for module in modules for pair in module.from_imports}
    lines = [f"import {name}" for name in plain]
    for source in sorted({source for source, _ in pairs}):
        names = sorted(name for origin, name in pairs if origin == source)
        line = f"from {source} import {', '.join(names)}"
        if len(line) > LINE_LENGTH:
            line = "\n".join([f"from {source} import (", *(f"    {n}," for n in names), ")"])
        lines.append(line)
    return "\n".join(["from __future__ import annotations", "", *lines]).rstrip()


def _section(module: Module) -> str:
    """One module under a line that names it; its docstring stands as comment, where it is one."""
    rule = f"# ---- {module.name.replace('.', '/')}.py "
    head = [
        rule + "-" * (LINE_LENGTH - len(rule)),
        *(f"# {line}".rstrip() for line in module.title),
    ]
    return "\n".join(["", *head, "", module.body])
