"""A notifier per test on a table in memory; `any_notifier` also on moto and DynamoDB Local."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from tests.doubles.dynamo import MemoryTable
from tests.notifier.central import NotifierWorld, make_table, new_central, new_client


@pytest.fixture
def notifier() -> NotifierWorld:
    return new_central(MemoryTable())


@pytest.fixture(scope="module")
def moto_client() -> Iterator[Any]:
    with mock_aws():
        yield new_client()


@pytest.fixture(scope="session")
def local_client(second_engine: Any) -> Any:
    make_table(second_engine)
    return second_engine


@pytest.fixture(params=["memory", "moto", pytest.param("local", marks=pytest.mark.deep)])
def any_notifier(request: pytest.FixtureRequest) -> Iterator[NotifierWorld]:
    """What holds on both is no invention of our own double."""
    if request.param == "memory":
        yield new_central(MemoryTable())
        return
    notifier = new_central(request.getfixturevalue(f"{request.param}_client"))
    # Whatever tests on the same engine left: in this module's order or any other.
    notifier.clear()
    yield notifier
    notifier.clear()
