"""What a test run has one of, opened when the first test asks: the sandbox, the second engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from sandbox.box import Box

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


# First, since pytest-xdist reads the groups in the same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is too deep for each change, and put together what shares a box.

    A process holds one box at a time. Those that a folder or a file has for itself come first: they
    are closed again. The one that all share stays open, so its tests come last.
    """
    if not config.getoption("--everything"):
        deep = [item for item in items if item.get_closest_marker("deep")]
        items[:] = [item for item in items if item not in set(deep)]
        config.hook.pytest_deselected(items=deep)
    items.sort(key=_order)
    for item in items:
        if group := _group(item):
            item.add_marker(pytest.mark.xdist_group(group))


def _box(item: pytest.Item) -> pytest.FixtureDef[Any] | None:
    """Return the definition of the box that a test asks for, by itself or by another fixture."""
    info: Any = getattr(item, "_fixtureinfo", None)
    found = info.name2fixturedefs.get("box") if info is not None else None
    return found[-1] if found else None


def _order(item: pytest.Item) -> int:
    box = _box(item)
    if box is None:
        return 1
    return 2 if box.scope == "session" else 0


def _group(item: pytest.Item) -> str:
    """Name what one worker of pytest-xdist must run alone; "" where any worker may run the test."""
    box = _box(item)
    if box is not None and box.scope == "session":
        return str(item.path)
    if box is not None and box.scope != "function":
        answers = getattr(item, "callspec", None)
        return f"{box.baseid} {answers.indices.get('box', '') if answers else ''}"
    if {"second_engine", "any_notifier"}.intersection(getattr(item, "fixturenames", ())):
        return "second engine"
    return ""


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
