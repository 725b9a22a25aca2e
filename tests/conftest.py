"""What a test run has one of, opened when the first test asks: the sandbox, the second engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from sandbox.core import forks

if TYPE_CHECKING:
    from sandbox.box import Box

# A run opens a hundred boxes.
forks.keep_servers = True

# The same examples in each whole run, and none judged by its time.
settings.load_profile("ci")

# What whoever runs them has set for his own work: profiles, credentials, colours.
for name in [*os.environ]:
    if name.startswith("AWS_") or name in ("FORCE_COLOR", "NO_COLOR"):
        del os.environ[name]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--everything",
        action="store_true",
        help="run what is marked `deep` too, and each suite at its full depth",
    )


# A box that a folder has for itself: one process runs the folder, once for each AWS that it plays.
BOX_OF_A_FOLDER = ("tests/attacks/", "tests/end_to_end/", "tests/prove/", "tests/status/")
# Each test has a box for itself, or none and much to do: any process may run it.
ONE_BY_ONE = ("tests/end_to_end/demo/", "tests/faults/", "tests/histories/", "tests/rollout/")
ONE_STORY = "tests/rollout/test_whole_organization.py"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is too deep for each change, and run boxes that are closed again first.

    A process holds one box at a time, and the one that all share stays open: its tests come last.
    """
    if not config.getoption("--everything"):
        deep = [item for item in items if item.get_closest_marker("deep")]
        items[:] = [item for item in items if item not in set(deep)]
        config.hook.pytest_deselected(items=deep)
    items.sort(key=_order)


def _order(item: pytest.Item) -> int:
    info: Any = getattr(item, "_fixtureinfo", None)
    boxes = info.name2fixturedefs.get("box") if info is not None else None
    if not boxes:
        return 1
    return 2 if boxes[-1].scope == "session" else 0


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out tests by what must run in one process (`--dist loadscope` of pytest-xdist)."""
    from xdist.scheduler import LoadScopeScheduling

    class ByBox(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

    return ByBox(config, log)


def unit_of(nodeid: str) -> str:
    """Return the name of the unit of work that a test belongs to."""
    path = nodeid.partition("::")[0]
    if path.startswith(ONE_BY_ONE) and path != ONE_STORY:
        return nodeid
    for folder in BOX_OF_A_FOLDER:
        if path.startswith(folder):
            return f"{folder} {'unlikely' if 'unlikely' in nodeid else ''}"
    return path


@pytest.fixture(scope="session")
def everything(pytestconfig: pytest.Config) -> bool:
    """True where each suite is to run at its full depth."""
    return bool(pytestconfig.getoption("--everything"))


@pytest.fixture(scope="session")
def box() -> Iterator[Box]:
    """An Organization in a box. Take an account of your own (`account`), others share the rest."""
    from sandbox.box import open_box

    with open_box(held=True) as opened:
        yield opened


@pytest.fixture
def account(box: Box, request: pytest.FixtureRequest) -> str:
    """A member account that no other test has touched."""
    return box.new_account("".join(c for c in request.node.name if c.isalnum())[:40])


@pytest.fixture(scope="session")
def second_engine() -> Iterator[Any]:
    """A client of DynamoDB Local, without any table yet.

    A run that must have it fails without it; any other says that it was skipped.
    """
    from tests.dynamodb_local import asked_for, engine_client, missing, open_engine

    if why := missing():
        assert not asked_for(), why
        pytest.skip(why)
    with open_engine() as endpoint:
        yield engine_client(endpoint)
