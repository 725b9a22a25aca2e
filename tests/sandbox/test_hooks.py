"""The emulator still has every name that the sandbox reaches for."""

from __future__ import annotations

import importlib

import pytest

from sandbox import hooks

# The emulator must be imported by the sandbox, which sets its environment first.
pytestmark = pytest.mark.usefixtures("box")


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module, names in hooks.NAMES.items() for name in names],
)
def test_the_emulator_has_the_name(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name)


def test_a_name_that_is_gone_is_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(hooks.NAMES, "ministack.services.iam", ("_gone",))
    with pytest.raises(hooks.MissingHook, match=r"no ministack\.services\.iam\._gone any more"):
        hooks.get("ministack.services.iam", "_gone")


def test_a_name_that_is_not_on_the_list_is_refused() -> None:
    with pytest.raises(hooks.MissingHook, match=r"ministack\.services\.iam\._gen_id is not on the"):
        hooks.get("ministack.services.iam", "_gen_id")
