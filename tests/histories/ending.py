"""What must hold when all is delivered and reconciled; one sentence per breach."""

from __future__ import annotations

from collections.abc import Iterator

from handler.revoker.requests.release import release
from handler.revoker.state.ledger import principal_key
from handler.revoker.state.marks import read_contained
from tests.doubles.iam import Principal
from tests.histories.limits import (
    may_be_contained,
    may_be_free,
    sessions_may_be_denied,
    stolen_in_vain,
)
from tests.histories.stage import Stage

# A re-evaluation waits for the event history, and the event history for nobody.
ROUNDS = 8
MOST_ROUNDS = 24


def settle(stage: Stage) -> str:
    """Deliver everything and reconcile until nothing is left to do; return what is, if any."""
    courier = stage.courier
    for number in range(MOST_ROUNDS):
        courier.run(courier.next_reconciliation)
        waiting = list(stage.world.table.items("reevaluate#"))
        if number >= 2 and courier.idle and not waiting and not courier.failed:
            return ""
    letters = [letter["Body"] for letter in stage.world.queue.letters.values()]
    return f"never quiet: {courier.failed} {letters} {waiting}"


def breaches(stage: Stage) -> Iterator[str]:
    """Every rule that the end of this history breaks."""
    everybody = [("user", n, p) for n, p in stage.iam.users.items()]
    everybody += [
        ("role", n, p) for n, p in stage.iam.roles.items() if not n.startswith("iam-org-revoker")
    ]
    for kind, name, found in everybody:
        who = f"{kind} {name} ({found.id})"
        yield from _contained_rightly(stage, who, name, found)
        if kind == "user":
            yield from _keys_silent(stage, who, name, found)
            yield from _sessions_denied_rightly(stage, who, name, found)
        yield from _written_down(stage, who, name, found)
    for kind, name, found in everybody:
        yield from _releasable(stage, f"{kind} {name} ({found.id})", kind, name, found)


def _contained_rightly(stage: Stage, who: str, name: str, found: Principal) -> Iterator[str]:
    truth = stage.truth
    held, offender = stage.iam.holds(name), truth.is_offender(found.id)
    excused = found.id in truth.either or may_be_free(stage, found.id)
    if offender and not held and not excused:
        sort = "accomplice" if found.id in truth.accomplices else "offender"
        yield f"{sort} {who} ends free"
    if held and not offender and not may_be_contained(stage, found.id):
        administrator = "administrator " if found.id in truth.administrators else ""
        yield f"{administrator}{who} is contained without cause"


def _keys_silent(stage: Stage, who: str, name: str, found: Principal) -> Iterator[str]:
    for key, status in found.keys.items():
        tainted = key in stage.truth.tainted_keys
        free = status == "Active" and not stage.iam.holds(name)
        if tainted and free and not may_be_free(stage, key):
            yield f"tainted key {key} of {who} ends active"


def _sessions_denied_rightly(stage: Stage, who: str, name: str, found: Principal) -> Iterator[str]:
    abused = stage.truth.abused.get(found.id)
    denied = stage.iam.sessions_denied(name)
    free = not denied and not stage.iam.holds(name)
    if abused and True in abused and free and not stolen_in_vain(stage, found.id):
        yield f"a stolen console session of {who} ends free"
    excused = found.id in stage.truth.offenders or sessions_may_be_denied(stage, found.id)
    if denied and not abused and not excused:
        yield f"sessions of {who} are denied without cause"


def _written_down(stage: Stage, who: str, name: str, found: Principal) -> Iterator[str]:
    item = stage.world.item(principal_key(found.id))
    if stage.iam.holds(name) and read_contained(item) is None:
        yield f"the containment of {who} is not written down"
    if stage.iam.sessions_denied(name) and read_contained(item, "sessions") is None:
        yield f"the denied sessions of {who} are not written down"


def _releasable(stage: Stage, who: str, kind: str, name: str, found: Principal) -> Iterator[str]:
    if not stage.iam.holds(name) and not stage.iam.sessions_denied(name):
        return
    item = stage.world.item(principal_key(found.id))
    if not {"contained", "sessions"} & item.keys():
        return
    release(item, reason="over", by="the end", enable_keys=False, dry=False, tools=stage.tools())
    if found.boundary:
        # The one thing that the responder leaves to an administrator.
        stage.iam.delete_role_permissions_boundary(RoleName=name)
    if stage.iam.holds(name) or stage.iam.sessions_denied(name):
        yield f"{who} cannot be released"
