"""Row 46 once more: an administrator taken over who has as many policies as IAM allows."""

from __future__ import annotations

from handler.model.names import SESSION_DENY_GROUP
from tests.attacks.play import ADMINISTRATORS, Play
from tests.attacks.responder_calls import release
from tests.attacks.rows import missing, noted, then
from tests.attacks.scenarios.administrators import (
    OWN_KEY,
    SESSION,
    accomplice,
    anna_with_login,
    taken_over,
)
from tests.attacks.scenarios.credentials import LOST, PASSWORD


def anna_at_her_quota(play: Play) -> None:
    anna_with_login(play)
    for number in range(10):
        arn = play.policy(f"filler-{number}")
        play.quiet.attach_user_policy(UserName=play["anna"], PolicyArn=arn)


def reset_password(play: Play) -> None:
    play.iam("mallory").update_login_profile(UserName=play["anna"], Password=PASSWORD)
    play.console("session", "anna")
    accomplice(play, "session")


def _is_in_the_group(play: Play) -> None:
    assert play["anna"] in play.members(SESSION_DENY_GROUP)
    (report,) = [one for one in play.reports if one.principal_name == play["anna"]]
    assert report.method == "session-group"
    # Only the group's deny is on her.
    assert not play.is_held("anna")
    assert play.session_deny not in play.policies_of("anna", "user")


def _is_released(play: Play) -> None:
    before = play.policies_of("anna", "user")
    release(play, "anna")
    assert play["anna"] not in play.members(SESSION_DENY_GROUP)
    assert play["anna"] in play.members(ADMINISTRATORS)
    assert play.policies_of("anna", "user") == before
    assert not play.refused("session")


ROWS = (
    taken_over(
        title="An administrator at her quota of policies taken over by a reset password",
        calls=("UpdateLoginProfile", "CreateUser"),
        prepare=anna_at_her_quota,
        attack=reset_password,
        gave=("a new console password for user '{anna}'", "a new user '{accomplice}'"),
        ends=(
            then(f"anna put into the group `{SESSION_DENY_GROUP}`", _is_in_the_group),
            noted(
                "Could not attach the deny of sessions: LimitExceeded, "
                "Cannot exceed quota for PoliciesPerUser: 10."
            ),
            SESSION,
            OWN_KEY,
            missing(LOST),
            then("a release takes her out of the group, and nothing else", _is_released),
        ),
    ),
)
