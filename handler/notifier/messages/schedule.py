"""Say when an incident is mailed, and until when it is open. Pure: the clock is an argument."""

from __future__ import annotations

from handler.notifier.messages.notice import Incident, Notice, NoticeKind

# A milestone that is never reached: one mail until the incident is closed.
NEVER_AGAIN = 10**12
# A problem is in every heartbeat, four an hour; after so long without it, it is over.
UNHEALTHY_SECONDS = 3_600
# A critical incident is in the daily reminder until so long after its last call.
REMIND_SECONDS = 3 * 86_400
DAY_SECONDS = 86_400
# When the daily mails go: 06:00 UTC.
MORNING_SECONDS = 6 * 3_600


def milestone_after(incident: Incident, *, covers_all: bool) -> int:
    """Return the count of calls at which the next mail is due, once the mail due now is out.

    `covers_all`: that mail was a digest, which says how many calls there were so far.
    """
    if incident.kind is NoticeKind.UNHEALTHY:
        return NEVER_AGAIN
    if incident.is_daily:
        return incident.calls + 1
    following = incident.milestone * 10
    while covers_all and following <= incident.calls:
        following *= 10
    return following


def quiet_seconds_of(notice: Notice, *, usual: int) -> int:
    """How long without another notice closes its incident."""
    return UNHEALTHY_SECONDS if notice.kind is NoticeKind.UNHEALTHY else usual


def is_open(incident: Incident, *, now: float) -> bool:
    """Whether a reminder of the incident still makes sense."""
    if incident.kind is NoticeKind.UNHEALTHY:
        return incident.quiet_after >= now
    return max(incident.quiet_after, incident.last_seen + REMIND_SECONDS) >= now


def next_morning(now: float) -> float:
    """The next time of the daily mails, epoch seconds."""
    return ((now - MORNING_SECONDS) // DAY_SECONDS + 1) * DAY_SECONDS + MORNING_SECONDS
