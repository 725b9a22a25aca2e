"""One Organization that enforces in all members, for every proof.

A box of its own, since a process holds one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.box import Box, open_box
from tests.prove.proving import Prover, installed


@pytest.fixture(scope="package")
def box() -> Iterator[Box]:
    with open_box(member_count=2, held=True) as opened:
        yield opened


@pytest.fixture(scope="package")
def prover(box: Box, tmp_path_factory: pytest.TempPathFactory) -> Prover:
    return installed(box, tmp_path_factory.mktemp("prove"))
