"""The rollout file: read whole, and every bad value told of at once with its line."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from stacksets.config.load import BadFile, read_wanted
from stacksets.config.model import Reach, Trail, Wanted, bucket_name
from stacksets.observed.templates import read_template
from tests.stacksets.scene import FILE, SECURITY

TEMPLATES = Path(__file__).parents[3] / "templates"
MEMBER = read_template(TEMPLATES / "member.yaml").document["Parameters"]
CENTRAL = read_template(TEMPLATES / "central.yaml").document["Parameters"]


def read(text: str) -> Wanted:
    return read_wanted(text, member=MEMBER, central=CENTRAL)


def reported(text: str) -> list[str]:
    with pytest.raises(BadFile) as caught:
        read(text)
    return caught.value.sentences


def test_a_short_file_is_whole_with_its_defaults() -> None:
    wanted = read(FILE)
    assert (wanted.region, wanted.deploy_from, wanted.call_as) == (
        *("us-east-1", "management", "SELF"),
    )
    assert wanted.trail is Trail.ACCOUNTS
    assert wanted.guardrail.attach is Reach.RINGS
    assert [ring.stack_set for ring in wanted.rings] == [
        *("iam-org-revoker-canary", "iam-org-revoker-everyone")
    ]
    assert wanted.rings[0].parameters["BreakerLimit"] == "5"
    assert wanted.central.parameters["OrganizationId"] == "o-exampleorgid"


def test_a_rings_own_parameters_win_over_those_of_all() -> None:
    text = FILE.replace("tolerance_percent = 10", "[ring.parameters]\nBreakerLimit = 9")
    wanted = read(f"{text}\n[parameters]\nBreakerLimit = 7\nAdminGroupName = 'Chiefs'\n")
    limits = [ring.parameters["BreakerLimit"] for ring in wanted.rings]
    assert limits == ["7", "9"]
    assert wanted.management.parameters["AdminGroupName"] == "Chiefs"


def test_administrator_patterns_are_a_list() -> None:
    patterns = '[parameters]\nAdminRolePatterns = ["role/stacksets-exec-*", "role/chiefs/*"]'
    wanted = read(f"{FILE}\n{patterns}\n")
    assert wanted.rings[0].parameters["AdminRolePatterns"] == (
        "role/stacksets-exec-*,role/chiefs/*"
    )


def test_a_day_is_a_day() -> None:
    wanted = read(FILE.replace("tolerance_percent = 10", "observed_since = 2026-11-01"))
    assert wanted.rings[1].observed_since == date(2026, 11, 1)


def test_a_bucket_s_name_begins_as_the_permissions_say_and_is_never_too_long() -> None:
    longest = "iam-org-revoker-templates-" + "x" * 24
    assert len(f"{longest}-{SECURITY}") == 63
    for name in ("iam-org-revoker-templates", longest):
        assert read(f'bucket = "{name}"\n{FILE}').bucket == name
    for name in (f"{longest}x", "iam-org-revoker-templatesx", "iam-org-revoker-templates-", "x"):
        (sentence,) = reported(f'bucket = "{name}"\n{FILE}')
        assert sentence.startswith(f"line 1: bucket is '{name}'; it must be")
    assert fnmatchcase(bucket_name(SECURITY, longest), bucket_name("*"))


BAD = f"""organization = "o-exampleorgid"
region = "us-east-2"
trail = "made"
surprise = 1
[central]
account = 444455556666
[central.parameters]
QuietHours = 5
[guardrail]
attach = "rings"
[parameters]
AdminRolePatterns = ["role/chiefs/*"]
[[ring]]
name = "A ring"
units = ["Small"]
mode = "enforced"
observed_since = "2026-11-01"
tolerance_percent = 101
[[ring]]
name = "everyone"
units = "Large"
[ring.parameters]
Mode = "enforce"
Surprise = "x"
[[excluded]]
account = "{SECURITY}"
"""


def test_every_bad_value_is_told_of_at_once_with_its_line_and_what_is_allowed() -> None:
    sentences = reported(BAD)
    assert sentences == [
        (
            'line 2: region is \'us-east-2\'; allowed are "us-east-1", "us-gov-west-1", '
            '"cn-north-1", "us-iso-east-1", "us-isob-east-1", "us-isof-south-1", '
            '"eusc-de-east-1".'
        ),
        'line 3: trail is \'made\'; allowed are "organization", "accounts", "make".',
        (
            'line 4: surprise is unknown here; known are "organization", "parameters", "region", '
            '"deploy_from", "bucket", "trail", "observe_days", "access", "central", "guardrail", '
            '"ring", "management", "excluded", "recipients".'
        ),
        (
            "line 6: central.account is 444455556666; it must be the 12 digits of the security "
            "account, in quotes."
        ),
        ("line 7: central.parameters: give Email or SNSTopicArn, or nobody hears of an incident."),
        "line 8: QuietHours is '5'; it must be one of 1, 3, 6, 12, 24, 48, 72, 168.",
        "line 9: guardrail.canary is missing: the unit that gets it first.",
        (
            "line 12: AdminRolePatterns must hold 'role/stacksets-exec-*': without it the revoker "
            "takes IAM away from the role that rolls it out."
        ),
        "line 14: ring 1: name is 'A ring'; it must be small letters, digits and hyphens.",
        'line 16: ring 1: mode is \'enforced\'; allowed are "observe", "enforce".',
        (
            "line 17: ring 1: observed_since is '2026-11-01'; it must be a day without quotes, "
            "like 2026-11-01."
        ),
        ("line 18: ring 1: tolerance_percent is 101; it must be a whole number from 0 to 100."),
        (
            "line 21: ring 2: units is 'Large'; it must be a list of OU ids or paths like "
            '"Workloads/Prod"; "/" is the root.'
        ),
        "line 23: Mode cannot be given here: write mode beside parameters.",
        (
            "line 24: Surprise is no parameter of the member template; there are AdminGroupName, "
            "AdminRolePatterns, BreakerHours, BreakerLimit, ContainRescueRoles, DeniedCalls, "
            "DenyScope, InlineDeny, LogRetentionDays, MissingGroup, RoleCallers, "
            "SelfServiceCalls, TrailDestS3BucketName, TrailMultiRegion, TrailReadWrite."
        ),
        (
            "line 25: excluded 1: reason is missing; it must be the reason, for whoever reads it "
            "later."
        ),
    ]


def test_a_file_that_is_no_toml_is_one_sentence() -> None:
    (sentence,) = reported("organization = \n")
    assert sentence.startswith("This is no TOML: Invalid value (at line 1, ")


def test_an_empty_file_says_what_is_missing() -> None:
    assert [sentence.partition(";")[0] for sentence in reported("")] == [
        "line 1: There is no [[ring]]: nothing would be covered.",
        "line 1: central.account is missing",
        "line 1: central.parameters: give Email or SNSTopicArn, or nobody hears of an incident.",
        "line 1: organization is missing",
    ]


def test_two_rings_may_not_share_a_unit() -> None:
    assert reported(FILE.replace('units = ["ou-ab12-largelarge"]', 'units = ["Small"]')) == [
        "line 16: Two rings name the unit 'Small'."
    ]


def test_what_is_there_twice_is_told_of_where_it_stands_again() -> None:
    twice = f"""[[ring]]
name = "canary"
units = ["Other"]
[[excluded]]
account = "{SECURITY}"
reason = "closed"
[[excluded]]
account = "{SECURITY}"
reason = "closed"
[[exclude]]
account = "{SECURITY}"
"""
    assert [sentence.partition(";")[0] for sentence in reported(FILE + twice)] == [
        "line 21: Two rings are called 'canary'.",
        f"line 27: Excluded twice is '{SECURITY}'.",
        "line 29: exclude is unknown here",
    ]


@pytest.mark.parametrize(
    ("patterns", "sentence"),
    [
        (
            '["role/stacksets-exec-*", "role/a b", "chief"]',
            (
                "'role/a b' is no administrator role pattern: write role/PATH/NAME or a full role "
                "ARN, with at least one character besides stars."
            ),
        ),
        (
            '["role/stacksets-exec-*", "role/chief until 2026-13-45"]',
            "'role/chief until 2026-13-45' ends on 2026-13-45, which is no day of the calendar.",
        ),
    ],
)
def test_a_bad_pattern_of_administrators_is_one_sentence(patterns: str, sentence: str) -> None:
    assert reported(f"{FILE}[parameters]\nAdminRolePatterns = {patterns}\n") == [
        f"line 21: AdminRolePatterns: {sentence}"
    ]


def test_no_sentence_ends_with_two_full_stops() -> None:
    (sentence,) = reported(f"{FILE}[parameters]\nAdminGroupName = 'a b'\n")
    assert sentence == (
        "line 21: AdminGroupName is 'a b'; it must be IAM group whose members may call IAM: the "
        "IAM users who are administrators."
    )


def test_a_value_that_aws_has_no_room_for_is_refused_by_how_much_and_what_to_do() -> None:
    patterns = ["role/stacksets-exec-*", *(f"role/team-{n:03}/admin" for n in range(150))]
    assert len(",".join(patterns)) == 3_021
    text = f"{FILE}[parameters]\nAdminRolePatterns = {patterns}\n"
    (sentence,) = reported(text)
    assert sentence == (
        "line 21: AdminRolePatterns has 3,021 characters, 221 more than the 2,800 that AWS has "
        "room for: give fewer or shorter entries. Where it takes patterns, one with * stands for "
        "many names."
    )
    read(f"{FILE}[parameters]\nAdminRolePatterns = {patterns[:138]}\n")


def test_a_ring_of_more_units_than_a_call_takes_is_refused() -> None:
    units = [f"Unit {number}" for number in range(51)]
    text = FILE.replace('units = ["Small"]', f"units = {units}")
    (sentence,) = reported(text)
    assert sentence == (
        "line 13: ring 1: units names 51 units, and StackSets take 50 in a call: name units above "
        "them, or part the ring in two."
    )
    read(FILE.replace('units = ["Small"]', f"units = {units[1:]}"))


def test_a_trail_that_is_to_be_made_needs_its_bucket() -> None:
    assert len(reported(FILE.replace('trail = "accounts"', 'trail = "make"'))) == 1
    with_bucket = f'{FILE}\n[parameters]\nTrailDestS3BucketName = "example-trails"\n'
    assert len(reported(with_bucket)) == 1
    read(with_bucket.replace('trail = "accounts"', 'trail = "make"'))


@pytest.mark.parametrize("hole", ['""', "[]", "0", "true", "{}", '"\\u0000"', "2026-01-01"])
def test_a_strange_value_anywhere_is_told_of_and_never_raises(hole: str) -> None:
    lines = FILE.splitlines()
    for number, line in enumerate(lines):
        if "=" not in line:
            continue
        key = line.partition("=")[0]
        text = "\n".join([*lines[:number], f"{key} = {hole}", *lines[number + 1 :]])
        with suppress(BadFile):
            read(text)
