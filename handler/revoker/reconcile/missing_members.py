"""Find out whether administrators of the ledger who are missing in the group were removed. Shell.

A removal is lost with its event, and forgotten by a table that is older than it. The event history
has it for 90 days: only a removal by an administrator of that time counts, as ever. A caller that
the group does not list is no proof of one: a call may be older than the removal, and offenders can
empty a group.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from handler.model.cloudtrail import CallerKind
from handler.revoker.deny.contain import current_name
from handler.revoker.respond.event_history import ADDERS, prove
from handler.revoker.state.context import Tools, attempt, target_of
from handler.revoker.state.ledger import Baseline, LiveGroup, Member, principal_key
from handler.revoker.state.ledger_view import Entry, ledger_entries
from handler.revoker.state.table import Item, Value

# On a user: since when the history is searched for its removal.
ABSENT = "absent"
# The history lags up to 15 minutes behind: a look after this much has seen everything.
SEEK_SECONDS = 20 * 60.0
# It answers two requests a second; the rest is the next round's.
SOUGHT_AT_ONCE = 10
# Asked once more then: who removed it may have been found an administrator since.
SEEK_AGAIN_SECONDS = 86_400.0


def seek_removals(
    items: Sequence[Item],
    baseline: Baseline,
    live: LiveGroup,
    tools: Tools,
    troubles: list[Exception],
) -> None:
    """Write down the removals that the event history proves of those who are missing."""
    held = {str(item["pk"]): item for item in items}
    missing = [
        entry
        for entry in ledger_entries(items, baseline)
        if entry.administrator and live.by_id(entry.id) is None
    ]
    due = [
        (entry, begun)
        for entry in missing
        if (begun := _sought_since(held.get(principal_key(entry.id), {}), now=tools.now))
    ]
    for entry, begun in due[:SOUGHT_AT_ONCE]:
        attempt(partial(_seek, entry, begun, baseline, tools), tools, troubles)


def _sought_since(item: Item, *, now: float) -> float:
    """Since when its removal is searched; 0 while there is nothing to search for."""
    begun = item.get(ABSENT)
    if not isinstance(begun, float) or now - begun >= SEEK_AGAIN_SECONDS:
        return now
    return begun if now - begun <= SEEK_SECONDS else 0.0


def _seek(entry: Entry, begun: float, baseline: Baseline, tools: Tools) -> None:
    written = target_of(tools, kind=CallerKind.USER, name=entry.name, principal_id=entry.id)
    name = current_name(tools.iam, written)
    if name:
        made = tools.iam.get_user(UserName=name)["User"]["CreateDate"].timestamp()
        # What is older than the baseline is in what it found.
        prove(Member(entry.id, name, made), tools, adders=ADDERS, since=baseline.taken)
    facts: dict[str, Value] = {
        "kind": CallerKind.USER.value,
        "name": name or entry.name,
        ABSENT: begun,
    }
    tools.table.update(principal_key(entry.id), facts)
