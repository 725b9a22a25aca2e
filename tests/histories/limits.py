"""What the design accepts, by name: the only excuses that a history may end with."""

from __future__ import annotations

from math import inf

from handler.revoker.judge.membership import CLOCK_SLACK
from handler.revoker.state.ledger import BASELINE, principal_key
from handler.revoker.state.marks import read_contained
from tests.histories.stage import Stage

# CloudTrail's event history lags so much; proof of an addition younger than this may be nowhere.
HISTORY_LAG = 900.0
# An unproven member is waited for from the first sight of her call to its third try.
WAIT = 180.0
TRUSTED = frozenset({"administrator-user", "administrator-role"})


def baseline_is_ambiguous(stage: Stage) -> bool:
    """Whether anybody was taken into the group, or out of it, before the baseline.

    That look cannot tell who was in it before. An outsider who takes herself in is told apart.
    """
    taken = float(stage.world.item(BASELINE)["taken"]) + CLOCK_SLACK
    return any(when <= taken and not itself for when, itself in stage.truth.moved)


def may_be_contained(stage: Stage, principal_id: str) -> bool:
    """Whether one of the limits excuses that this principal is contained without cause."""
    return (
        added_a_moment_ago(stage, principal_id)
        or thrown_out_by_one_not_yet_known(stage, principal_id)
        or touched_by_one_excused(stage, principal_id)
    )


def may_be_free(stage: Stage, impacts_found: str) -> bool:
    """Removed by an administrator who herself passed for an offender for one of these reasons; or
    what such a one gave: `gained` is an id, or a key.
    """
    passed = {impacts_found}
    while more := {by for one in passed for by in stage.truth.gave.get(one, ())} - passed:
        passed |= more
    return any(_removed_in_vain(stage, one) for one in passed)


def stolen_in_vain(stage: Stage, principal_id: str) -> bool:
    """Whether such a one set her password, or made or woke a key of hers."""
    keys = [key for _, key in stage.truth.stolen.get(principal_id, [])]
    return any(may_be_free(stage, given) for given in (f"password {principal_id}", *keys))


def _removed_in_vain(stage: Stage, principal_id: str) -> bool:
    by, event = stage.truth.removed.get(principal_id, ("", ""))
    arrived = stage.courier.arrived.get(event)
    unheard = arrived is not None and _is_unheard(stage, by, arrived)
    return bool(by) and (unheard or may_be_contained(stage, by))


def added_a_moment_ago(stage: Stage, principal_id: str) -> bool:
    """Added less than 15 minutes before, by a call whose event had not arrived by then.

    Whoever she made or added in that time passes for an offender's created principal.
    """
    record = read_contained(stage.world.item(principal_key(principal_id)))
    truth = stage.truth
    hers = {principal_id, truth.made_by.get(principal_id, "")}
    hers |= {by for _, _, by in truth.added.get(principal_id, [])}
    return record is not None and any(_is_unheard(stage, one, record.at) for one in hers)


def began_while_a_stolen_key_lived(stage: Stage, principal_id: str) -> bool:
    """Her own session, begun between the making of a key of hers by an offender and its silence.

    Nobody can tell it from one that the key began.
    """
    not_reporting = stage.powers.since
    return any(
        who.owner == principal_id
        and when <= (who.began or 0) <= not_reporting.get(f"key {key}", inf) + 10
        for when, key in stage.truth.stolen.get(principal_id, [])
        for who in stage.rightful
    )


def sessions_may_be_denied(stage: Stage, principal_id: str) -> bool:
    """Whether one of the limits excuses that an administrator's own sessions are denied."""
    return (
        began_while_a_stolen_key_lived(stage, principal_id)
        or password_set_anew_unheard(stage, principal_id)
        or password_set_by_one_excused(stage, principal_id)
    )


def password_set_by_one_excused(stage: Stage, principal_id: str) -> bool:
    """Set by an administrator who passed for an offender for one of these reasons."""
    helpers = {by for _, _, by in stage.truth.helped.get(principal_id, [])} - {principal_id}
    return any(
        not stage.truth.is_offender(one)
        and (added_a_moment_ago(stage, one) or thrown_out_by_one_not_yet_known(stage, one))
        for one in helpers
    )


def password_set_anew_unheard(stage: Stage, principal_id: str) -> bool:
    """A colleague set her password anew after an offender had, and of that it was heard later than
    of her own next call: until then her session counts as one that the offender's password began.
    """
    record = read_contained(stage.world.item(principal_key(principal_id)), "sessions")
    helped = stage.truth.helped.get(principal_id, [])
    return record is not None and any(
        when <= record.at < stage.courier.arrived.get(event, inf) for when, event, _ in helped
    )


def _is_unheard(stage: Stage, principal_id: str, at: float) -> bool:
    """Whether an addition of hers was not heard of by then, or when her name had moved already."""
    truth = stage.truth
    # Nobody looks for a proof of who adds herself, or is not in the group any more.
    gone = {*truth.self_added, *truth.thrown_out, *truth.removed}
    lag = inf if principal_id in gone else HISTORY_LAG + WAIT
    for when, event, _ in truth.added.get(principal_id, []):
        heard = stage.courier.arrived.get(event, inf)
        moved = min(
            [truth.deleted.get(principal_id, inf)]
            + [second for second in truth.renamed.get(principal_id, []) if second >= when]
        )
        if at - when <= lag and (heard > at or moved <= heard):
            return True
    return False


def thrown_out_by_one_not_yet_known(stage: Stage, principal_id: str) -> bool:
    """Taken out of the group by somebody of whom it was not heard yet that he is no administrator.

    Until that is heard of, the removal counts, and a call that she makes then contains her.
    """
    events = stage.truth.thrown_out.get(principal_id, [])
    return any(stage.courier.taken_for.get(e) in TRUSTED for e in events)


def touched_by_one_excused(stage: Stage, principal_id: str) -> bool:
    """Made or added by an administrator who was contained for one of these reasons."""
    truth = stage.truth
    maker = truth.made_by.get(principal_id, "")
    makers = {maker, *(by for _, _, by in truth.added.get(principal_id, []))} - {"", principal_id}
    if maker in truth.either:
        # Contained for an offence, and made an administrator again without a release.
        return True
    return any(
        not truth.is_offender(one)
        and (added_a_moment_ago(stage, one) or thrown_out_by_one_not_yet_known(stage, one))
        for one in makers
    )
