"""The house rules: who may import whom, how large a file may grow, what must not be named."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("generator", "handler", "responder", "sandbox", "stacksets")
# Files of the handler that reach AWS, by a client or a table that they are given.
SHELLS = {
    "absent",
    "accounts",
    "adopt",
    "answer",
    "budget",
    "containment",
    "delivery",
    "desk",
    "deskcaller",
    "deskview",
    "drill",
    "found",
    "health",
    "hold",
    "incidents",
    "learn",
    "leftover",
    "mailing",
    "marks",
    "naming",
    "notifier",
    "owed",
    "patrol",
    "proof",
    "pulse",
    "putback",
    "recheck",
    "redrive",
    "release",
    "remedies",
    "remedy_credentials",
    "remedy_principals",
    "revoker",
    "roster",
    "rungs",
    "scene",
    "standing",
    "store",
    "sweep",
    "table",
    "tools",
    "watching",
}
# Shells whose values (what was done, what is written down) pure files speak of.
WITH_VALUES = {"containment", "marks", "roster", "rungs", "store"}
AWS = {"boto3", "botocore"}

# Folder -> the folders of ours that it may import; besides itself.
MAY_IMPORT = {
    "handler": set(),
    "generator": {"handler"},
    "stacksets": {"handler"},
    "responder": {"handler"},
    "sandbox": {"handler", "generator", "stacksets", "responder"},
}
# Folder -> packages from outside the standard library that it may import.
MAY_USE = {
    "handler": AWS,
    "generator": {"troposphere", "cfn_flip", "jinja2", "yaml", "rich"},
    "stacksets": {*AWS, "cfn_flip", "rich", "jinja2"},
    "responder": {*AWS, "rich"},
    "sandbox": {*AWS, "cbor2", "rich", "ministack", "uvicorn", "hypercorn", "yaml"},
}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).glob("**/*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=str(module), level=0):
                names.add(module)
            case ast.ImportFrom():
                names.add(".relative")
    return names


def outside_standard_library(names: set[str]) -> set[str]:
    import sys

    return {n.split(".")[0] for n in names} - set(sys.stdlib_module_names) - set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_folder_imports_only_what_stands_below_it(package: str) -> None:
    for path in sources(package):
        ours = {n.split(".")[0] for n in imported(path)} & set(PACKAGES)
        assert ours <= MAY_IMPORT[package] | {package}, path
        assert outside_standard_library(imported(path)) <= MAY_USE[package], path


def test_pure_handler_files_never_name_aws() -> None:
    for path in sources("handler"):
        if path.stem not in SHELLS:
            assert not {n.split(".")[0] for n in imported(path)} & AWS, path
            shells = {f"handler.{shell}" for shell in SHELLS - WITH_VALUES}
            assert not imported(path) & shells, path


def test_the_desk_and_the_rollout_use_only_pure_handler_files() -> None:
    for package in ("responder", "stacksets"):
        for path in sources(package):
            assert not imported(path) & {f"handler.{shell}" for shell in SHELLS}, path


def test_no_file_has_more_than_300_lines_and_no_function_more_than_60() -> None:
    for path in [p for package in (*PACKAGES, "benchmarks") for p in sources(package)]:
        text = path.read_text()
        assert len(text.splitlines()) <= 300, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, f"{path}:{node.name}"


def test_every_module_and_public_name_of_the_handler_says_what_it_is() -> None:
    for path in [p for package in PACKAGES for p in sources(package)]:
        assert ast.get_docstring(ast.parse(path.read_text())), path


def test_nothing_catches_everything() -> None:
    for path in [p for package in PACKAGES for p in sources(package)]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                assert caught not in ("everything", "Exception", "BaseException"), path


# Of the module time: these two, and what only writes a time that it is given.
CLOCKS = ("time", "sleep", "strftime", "gmtime")


@pytest.mark.parametrize("package", ["handler", "responder", "stacksets"])
def test_product_code_reads_the_clock_in_one_way_only(package: str) -> None:
    """By time.time: the sandbox plays long waits by moving it, and nothing else."""
    for path in sources(package):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Attribute(value=ast.Name(id="time"), attr=attribute):
                    assert attribute in CLOCKS, f"{path}:{node.lineno}"
                case ast.Attribute(value=ast.Name(id="datetime" | "date"), attr=attribute):
                    assert attribute not in ("now", "utcnow", "today"), f"{path}:{node.lineno}"
                case ast.ImportFrom(module="time", names=names):
                    assert {name.name for name in names} <= set(CLOCKS), f"{path}:{node.lineno}"
                case ast.Call(func=function, args=[]):
                    called = ast.unparse(function)
                    assert called not in ("gmtime", "time.gmtime"), f"{path}:{node.lineno}"


def test_no_tracked_file_holds_a_path_of_one_machine() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:
        pytest.skip("no git checkout here: nothing says which files belong to the project")
    for name in tracked:
        text = (ROOT / name).read_text(errors="replace")
        assert "/ho" + "me/" not in text, name
        assert "/ro" + "ot/" not in text, name
