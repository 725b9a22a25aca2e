"""The look-round every 15 minutes: puts back what is missing, tries again what failed, and tells.

Shell. Each part goes on when another fails; the heartbeat goes out in any case, and what failed is
raised after it, so that Lambda tries reconciliation again and its dead letter reports it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from handler.model.fingerprint import settings_fingerprint
from handler.model.heartbeat import Heartbeat, heartbeat_detail
from handler.model.names import HEARTBEAT_DETAIL_TYPE, VERSION
from handler.revoker.reconcile.health import (
    calls_rule_state,
    last_event_at,
    table_policy_state,
    tamper_rule_state,
    trail_state,
)
from handler.revoker.reconcile.kept_denies import adopt_kept
from handler.revoker.reconcile.missing_members import seek_removals
from handler.revoker.reconcile.redrive import Redriven, redrive
from handler.revoker.reconcile.reevaluate import reevaluate_calls
from handler.revoker.reconcile.repair import check
from handler.revoker.reconcile.unremovable import LEFT, look_at_left
from handler.revoker.respond.self_test import (
    read_self_test,
    self_test,
    self_test_is_due,
    start_self_test,
)
from handler.revoker.state.circuit_breaker import BREAKER, arm_breaker
from handler.revoker.state.context import Tools, account_alias, attempt, put_event
from handler.revoker.state.ledger import (
    BASELINE,
    Baseline,
    LiveGroup,
    read_baseline,
    read_group,
    take_baseline,
)
from handler.revoker.state.ledger_view import ledger_differences, ledger_entries
from handler.revoker.state.table import Item


def reconcile(tools: Tools) -> dict[str, Any]:
    """Do the round; answers the heartbeat that was sent.

    Raises the first refusal of AWS or the central account that a part of the round met.
    """
    baseline, live = baseline_and_group(tools)
    items = list(tools.table.items("principal#"))
    troubles: list[Exception] = []
    # Unless counted below: a round that cannot look at its letters must not say there are none.
    letters = [Redriven(dead=1, late=0)]
    try:
        check(items, tools, troubles)
        look_at_left(items, tools, troubles)
        adopt_kept(items, baseline, tools, troubles)
        attempt(partial(_redrive, letters, tools), tools, troubles)
        attempt(partial(_self_test, tools), tools, troubles)
    finally:
        detail = _beat(items, baseline, live, letters[0], tools)
    seek_removals(items, baseline, live, tools, troubles)
    # Last, for it may take all the time there is: an offender can make many calls and renames.
    reevaluate_calls(tools, troubles)
    if troubles:
        raise troubles[0]
    return detail


def baseline_and_group(tools: Tools) -> tuple[Baseline, LiveGroup]:
    """The baseline, taken now when nobody has taken it yet, and the group as it is."""
    group = tools.settings.admin_group
    known = tools.table.read([BASELINE, BREAKER])
    live = read_group(tools.iam, group)
    baseline = read_baseline(known.get(BASELINE))
    if baseline is None:
        baseline = take_baseline(tools.table, live, None, group=group, now=tools.now)
    arm_breaker(tools.table, known.get(BREAKER, {}), tools.settings, now=tools.now)
    return baseline, live


def _redrive(letters: list[Redriven], tools: Tools) -> None:
    letters[0] = redrive(tools)


def _self_test(tools: Tools) -> None:
    if self_test_is_due(read_self_test(tools.table), now=tools.now):
        start_self_test(tools)


def _beat(
    items: list[Item], baseline: Baseline, live: LiveGroup, letters: Redriven, tools: Tools
) -> dict[str, Any]:
    beat = Heartbeat(
        account=tools.here.account,
        alias=account_alias(tools),
        region=tools.here.region,
        product_version=VERSION,
        mode=tools.settings.mode.value,
        settings=settings_fingerprint(tools.settings),
        at=tools.now,
        last_event_at=last_event_at(tools),
        rule=calls_rule_state(tools),
        tamper_rule=tamper_rule_state(tools),
        trail=trail_state(tools),
        table_policy=table_policy_state(tools),
        dead_letters=letters.dead,
        redriven=letters.late,
        contained=sum(_is_held(item) for item in items),
        ledger_differences=ledger_differences(
            ledger_entries(items, baseline), live, baseline, group=tools.settings.admin_group
        ),
        self_test=self_test(read_self_test(tools.table), now=tools.now),
    )
    detail = heartbeat_detail(beat)
    put_event(HEARTBEAT_DETAIL_TYPE, detail, tools)
    return detail


def _is_held(item: Item) -> bool:
    return "gone" not in item and bool({"contained", "sessions", LEFT} & item.keys())
