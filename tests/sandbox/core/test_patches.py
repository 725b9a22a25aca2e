"""The emulator still has every name that the sandbox reaches for."""

from __future__ import annotations

import importlib

import pytest

from sandbox.core import patches

# The emulator must be imported by the sandbox, which sets its environment first.
pytestmark = pytest.mark.usefixtures("box")


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module, names in patches.NAMES.items() for name in names],
)
def test_the_emulator_has_the_name(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name)


def test_a_name_that_is_gone_is_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(patches.NAMES, "ministack.services.iam", ("_gone",))
    with pytest.raises(patches.MissingHook, match=r"no ministack\.services\.iam\._gone any more"):
        patches.get("ministack.services.iam", "_gone")


def test_a_name_that_is_not_on_the_list_is_refused() -> None:
    with pytest.raises(
        patches.MissingHook, match=r"ministack\.services\.iam\._gen_id is not on the"
    ):
        patches.get("ministack.services.iam", "_gen_id")
