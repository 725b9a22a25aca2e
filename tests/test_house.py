"""The house rules: what a room may import and touch, how large it may grow, what is not named."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("generator", "handler", "responder", "sandbox", "stacksets")
AWS = {"boto3", "botocore"}
MODEL = "handler/model"
PLANS = {
    *("stacksets/config", "stacksets/containments", "stacksets/observed", "stacksets/scp"),
    "stacksets/steps",
}

# Room -> the rooms that it may import, besides itself and `handler/model`. Nothing here goes round
# in a circle, and a test holds that. A room in which AWS is called stands in CALLS_AWS.
MAY_IMPORT: dict[str, set[str]] = {
    "handler": set(),
    "handler/model": set(),
    "handler/revoker/judge": set(),
    "handler/revoker/impacts": set(),
    "handler/revoker/deny": set(),
    "handler/revoker/state": {"handler/revoker/deny", "handler/revoker/judge"},
    "handler/revoker/remediate": {
        *("handler/revoker/deny", "handler/revoker/impacts", "handler/revoker/judge"),
        "handler/revoker/state",
    },
    "handler/revoker/respond": {
        *("handler/revoker/deny", "handler/revoker/impacts", "handler/revoker/judge"),
        *("handler/revoker/remediate", "handler/revoker/state"),
    },
    "handler/revoker/reconcile": {
        *("handler/revoker/deny", "handler/revoker/judge", "handler/revoker/remediate"),
        *("handler/revoker/respond", "handler/revoker/state"),
    },
    "handler/revoker/requests": {
        *("handler/revoker/deny", "handler/revoker/reconcile", "handler/revoker/respond"),
        "handler/revoker/state",
    },
    "handler/revoker": {
        *("handler/revoker/reconcile", "handler/revoker/requests", "handler/revoker/respond"),
        "handler/revoker/state",
    },
    "handler/notifier/messages": set(),
    "handler/notifier/mail": {"handler/notifier/messages"},
    "handler/notifier/store": {"handler/notifier/messages"},
    "handler/notifier/send": {
        *("handler/notifier/mail", "handler/notifier/messages", "handler/notifier/store"),
    },
    "handler/notifier": {
        *("handler/notifier/mail", "handler/notifier/messages", "handler/notifier/send"),
        "handler/notifier/store",
    },
    "generator/source": set(),
    "generator/policy": set(),
    "generator/member": {"generator/policy", "generator/source"},
    "generator/central": {"generator/member", "generator/policy", "generator/source"},
    "generator": {
        *("generator/central", "generator/member", "generator/policy", "generator/source"),
    },
    "stacksets/config": set(),
    "stacksets/observed": {"stacksets/config"},
    "stacksets/observe": {"stacksets/config", "stacksets/observed"},
    "stacksets/steps": {"stacksets/config", "stacksets/observed"},
    "stacksets/scp": {"stacksets/config", "stacksets/observed", "stacksets/steps"},
    "stacksets/containments": PLANS - {"stacksets/containments"},
    "stacksets/planners": PLANS,
    "stacksets/drift": {*PLANS, "stacksets/observe"},
    "stacksets/execute": {"stacksets/observe", "stacksets/observed", "stacksets/steps"},
    "stacksets/init": {
        *("handler/notifier/messages", "stacksets/config", "stacksets/observed"),
        "stacksets/steps",
    },
    "stacksets/status": {
        *("handler/notifier/messages", "stacksets/config", "stacksets/observed"),
        "stacksets/steps",
    },
    "stacksets/permissions": {"stacksets/config", "stacksets/observed"},
    "stacksets/cli": {
        *("handler/notifier/messages", "stacksets/config", "stacksets/containments"),
        *("stacksets/drift", "stacksets/execute", "stacksets/init", "stacksets/observe"),
        *("stacksets/observed", "stacksets/permissions", "stacksets/planners"),
        *("stacksets/status", "stacksets/steps"),
    },
    "stacksets/prove/attacks": {"stacksets/execute"},
    "stacksets/prove": {
        *PLANS,
        *("handler/notifier/messages", "stacksets/cli", "stacksets/execute"),
        *("stacksets/observe", "stacksets/planners", "stacksets/prove/attacks"),
    },
    "stacksets": {"stacksets/cli", "stacksets/prove"},
    "responder": {"handler/notifier/messages", "handler/revoker/judge"},
}
CALLS_AWS = {
    *("handler/revoker", "handler/revoker/deny", "handler/revoker/state"),
    *("handler/revoker/remediate", "handler/revoker/respond", "handler/revoker/reconcile"),
    *("handler/revoker/requests", "handler/notifier", "handler/notifier/store"),
    *("handler/notifier/send", "stacksets/observe", "stacksets/drift", "stacksets/execute"),
    *("stacksets/cli", "stacksets/init", "stacksets/prove", "stacksets/prove/attacks"),
    "responder",
}
# The sandbox stands beside the product and may import all of it.
SANDBOX: dict[str, set[str]] = {
    "sandbox/core": set(),
    "sandbox/mail": {"sandbox/cloudformation", "sandbox/core"},
    "sandbox/iam": {"sandbox/core"},
    "sandbox/organizations": {"sandbox/core", "sandbox/iam"},
    "sandbox/iam_actions": {"sandbox/core", "sandbox/organizations"},
    "sandbox/cloudtrail": {"sandbox/core", "sandbox/organizations"},
    "sandbox/cloudformation": {
        *("sandbox/cloudtrail", "sandbox/core", "sandbox/iam", "sandbox/organizations"),
    },
    "sandbox/events": {"sandbox/cloudformation", "sandbox/core"},
    "sandbox": {
        *("sandbox/cloudformation", "sandbox/cloudtrail", "sandbox/core", "sandbox/events"),
        *("sandbox/iam", "sandbox/iam_actions", "sandbox/mail", "sandbox/organizations"),
    },
    "sandbox/demo": {"sandbox", "sandbox/core", "sandbox/mail"},
}
ROOMS = MAY_IMPORT | SANDBOX
# Package -> packages from outside the standard library that its rooms may import.
MAY_USE = {
    "handler": AWS,
    "generator": {"troposphere", "cfn_flip", "jinja2", "yaml", "rich"},
    "stacksets": {*AWS, "cfn_flip", "rich", "jinja2"},
    "responder": {*AWS, "rich"},
    "sandbox": {*AWS, "cbor2", "rich", "ministack", "uvicorn", "hypercorn", "yaml"},
}
FILES_IN_A_ROOM = 20


def sources(package: str) -> list[Path]:
    """Every Python file of a package, its rooms' too."""
    return sorted((ROOT / package).glob("**/*.py"))


def room_of(path: Path) -> str:
    return str(path.parent.relative_to(ROOT))


def imported(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it; of `from a import b` also a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=str(module), level=0, names=aliases):
                names |= {module} | {f"{module}.{alias.name}" for alias in aliases}
            case ast.ImportFrom():
                names.add(".relative")
    return names


def rooms_imported(path: Path) -> set[str]:
    """The rooms of ours whose modules a file imports."""
    files = [ROOT / f"{name.replace('.', '/')}.py" for name in imported(path)]
    return {room_of(file) for file in files if file.exists()} - {room_of(path)}


def outside_standard_library(names: set[str]) -> set[str]:
    return {n.split(".")[0] for n in names} - set(sys.stdlib_module_names) - set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_room_imports_only_what_its_row_lets_it(package: str) -> None:
    for path in sources(package):
        room, found = room_of(path), rooms_imported(path)
        if package == "sandbox":
            found = {one for one in found if one.startswith("sandbox")}
        assert room in ROOMS, f"{room} has no row in the table of rooms"
        assert found <= ROOMS[room] | {MODEL}, path
        assert outside_standard_library(imported(path)) <= MAY_USE[package], path


def test_every_row_is_a_room_and_says_what_it_needs() -> None:
    found: dict[str, set[str]] = {}
    for package in PACKAGES:
        for path in sources(package):
            found.setdefault(room_of(path), set()).update(rooms_imported(path))
    assert found.keys() == ROOMS.keys()
    for room, may in MAY_IMPORT.items():
        assert may - {MODEL} <= found[room] | PLANS, room


def test_no_rooms_import_each_other_in_a_circle() -> None:
    left = {room: set(may) for room, may in ROOMS.items()}
    while free := [room for room, may in left.items() if not may & left.keys()]:
        for room in free:
            del left[room]
    assert not left


def test_only_rooms_that_call_aws_import_its_client_or_each_other() -> None:
    for room in MAY_IMPORT.keys() - CALLS_AWS - {"stacksets"}:
        assert not ROOMS[room] & CALLS_AWS, room
        for path in (ROOT / room).glob("*.py"):
            assert not {n.split(".")[0] for n in imported(path)} & AWS, path


def test_no_room_has_more_than_twenty_files() -> None:
    listed = [*PACKAGES, "benchmarks", "tests"]
    for folder in {path.parent for package in listed for path in sources(package)}:
        assert len(list(folder.glob("*.py"))) <= FILES_IN_A_ROOM, folder


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
