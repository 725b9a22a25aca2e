"""A heartbeat survives the wire, and whatever a member sends is read without raising."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handler.model.heartbeat import Heartbeat, SelfTest, heartbeat_detail, read_heartbeat

FULL = Heartbeat(
    account="111122223333",
    alias="acme-dev",
    region="us-east-1",
    product_version="0.1.0",
    mode="enforce",
    settings="0123456789abcdef",
    at=1_790_000_000.5,
    last_event_at=1_789_999_000.0,
    rule="ENABLED",
    tamper_rule="missing",
    trail="stopped",
    table_policy="missing",
    dead_letters=3,
    redriven=4,
    contained=2,
    ledger_differences=("alice is in the group and not in the ledger.",),
    self_test=SelfTest(at=1_789_990_000.0, ok=False, event_seconds=41.5, error="no event came"),
)


def test_a_heartbeat_comes_back_from_json_as_it_was() -> None:
    for heartbeat in (FULL, Heartbeat(account="111122223333")):
        detail = json.loads(json.dumps(heartbeat_detail(heartbeat)))
        assert read_heartbeat(detail) == heartbeat


def test_the_detail_is_written_out_as_agreed() -> None:
    assert heartbeat_detail(FULL) == {
        "version": 1,
        "account": "111122223333",
        "alias": "acme-dev",
        "region": "us-east-1",
        "product_version": "0.1.0",
        "mode": "enforce",
        "settings": "0123456789abcdef",
        "at": 1_790_000_000.5,
        "last_event_at": 1_789_999_000.0,
        "rule": "ENABLED",
        "tamper_rule": "missing",
        "trail": "stopped",
        "table_policy": "missing",
        "dead_letters": 3,
        "redriven": 4,
        "contained": 2,
        "ledger_differences": ["alice is in the group and not in the ledger."],
        "self_test": {
            "at": 1_789_990_000.0,
            "ok": False,
            "event_seconds": 41.5,
            "deny_seconds": 0,
            "error": "no event came",
        },
    }
    assert heartbeat_detail(Heartbeat(account="1"))["self_test"] == {}


@pytest.mark.parametrize("detail", [{}, {"version": 2, "account": "1"}, {"version": 1}])
def test_what_is_no_heartbeat_of_this_version_is_refused_with_a_sentence(
    detail: dict[str, Any],
) -> None:
    with pytest.raises(ValueError, match=r"heartbeat (version|lacks)"):
        read_heartbeat(detail)


@pytest.mark.parametrize("wrong", [None, "", [], {}, 0, "x", True, [1], float("nan"), 1e300])
def test_a_field_of_another_type_takes_its_default(wrong: Any) -> None:
    detail = json.loads(json.dumps(heartbeat_detail(FULL)))
    for name in detail.keys() - {"version", "account"}:
        read = read_heartbeat(detail | {name: wrong})
        assert read.account == "111122223333"
        assert isinstance(getattr(read, name), type(getattr(FULL, name))), name
    for name in detail["self_test"]:
        test = read_heartbeat(detail | {"self_test": detail["self_test"] | {name: wrong}}).self_test
        assert isinstance(getattr(test, name), int | float | str), name
