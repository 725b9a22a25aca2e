"""How many histories are played: HISTORIES in the environment, else as many as the run asks for."""

from __future__ import annotations

import os

import pytest

# About 40 ms each on one core of the machine where this was measured.
WITH_EVERYTHING = 5_000
SAMPLE = 480


@pytest.fixture(scope="session")
def histories(everything: bool) -> int:
    return int(os.environ.get("HISTORIES", WITH_EVERYTHING if everything else SAMPLE))
