"""How many histories are played: HISTORIES in the environment, else as many as the gate plays."""

from __future__ import annotations

import os

import pytest

# About 40 ms each on one core of the machine where this was measured.
IN_THE_GATE = 5_000


@pytest.fixture(scope="session")
def histories() -> int:
    return int(os.environ.get("HISTORIES", IN_THE_GATE))
