"""A desk per test, on moto."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.notifier.desk import Desk, new_desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    with mock_aws():
        yield new_desk()
