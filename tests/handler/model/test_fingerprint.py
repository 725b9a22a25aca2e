"""The fingerprint of version and knobs is one everywhere, and another for every other knob."""

from __future__ import annotations

from handler.model.fingerprint import settings_fingerprint
from handler.model.settings import KNOBS, read_settings

OTHERS = {
    "MODE": "enforce",
    "CENTRAL_BUS_ARN": "arn:aws:events:us-east-1:444455556666:event-bus/iam-org-revoker",
    "ADMIN_GROUP_NAME": "Admins",
    "ADMIN_ROLE_PATTERNS": "role/other/*",
    "ROLE_CALLERS": "report",
    "DENIED_CALLS": "ignore",
    "SELF_SERVICE_CALLS": "ChangePassword,EnableMFADevice",
    "MISSING_GROUP": "treat-as-empty",
    "DENY_SCOPE": "everything",
    "CONTAIN_RESCUE_ROLES": "yes",
    "BREAKER_HOURS": "5",
    "BREAKER_LIMIT": "6",
    "INLINE_DENY": "allow",
}
BUS = {"CENTRAL_BUS_ARN": "arn:aws:events:us-east-1:111122223333:event-bus/iam-org-revoker"}


def test_every_knob_changes_it() -> None:
    assert set(OTHERS) == {knob.variable for knob in KNOBS}
    known = {settings_fingerprint(read_settings(BUS | {k: v})) for k, v in OTHERS.items()}
    assert len(known | {settings_fingerprint(read_settings(BUS))}) == len(OTHERS) + 1


def test_the_order_of_a_set_and_blanks_in_a_list_do_not() -> None:
    one = BUS | {"SELF_SERVICE_CALLS": "ChangePassword,EnableMFADevice,ResyncMFADevice"}
    other = BUS | {"SELF_SERVICE_CALLS": "ResyncMFADevice, EnableMFADevice,ChangePassword"}
    assert settings_fingerprint(read_settings(one)) == settings_fingerprint(read_settings(other))
    assert len(settings_fingerprint(read_settings(one))) == 16
