"""The rollout file, read and checked: all that is wrong at once, before anything is called."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from handler.model.names import PRODUCT
from stacksets.config.fields import Problems, Section
from stacksets.config.model import (
    ACCESS_ROLE,
    BUCKETS,
    MOST_UNITS,
    Access,
    Central,
    Excluded,
    Guardrail,
    Management,
    Reach,
    Ring,
    Trail,
    Wanted,
)
from stacksets.config.parameters import complete, parameter_problems
from stacksets.config.recipients import read_recipients
from stacksets.config.toml_lines import Place, line_numbers

ACCOUNT = "[0-9]{12}"
ROLE_ARN = "arn:aws[a-z-]*:iam::[0-9]{12}:role/.+"
MODES = ("observe", "enforce")
LONGEST_RING = 41

# Where IAM's events appear, by partition.
REGIONS = {
    "aws": "us-east-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-cn": "cn-north-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-eusc": "eusc-de-east-1",
}

Declared = Mapping[str, Any]


class BadFile(Exception):
    """The file cannot be used; `sentences` says why, one for each bad value."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


def read_wanted(text: str, *, member: Declared, central: Declared) -> Wanted:
    """The file's content as values. `member` and `central` are the Parameters of the templates.

    Raises BadFile with every bad value, its line and what is allowed.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadFile([f"This is no TOML: {error}."]) from error
    problems = Problems(line_numbers(text))
    top = Section((), table, problems)
    wanted = _wanted(top, member=member, central=central)
    _check_whole(wanted, top)
    if problems.found:
        raise BadFile(problems.sentences())
    return wanted


def _wanted(top: Section, *, member: Declared, central: Declared) -> Wanted:
    organization = top.text(
        "organization", None, shape="o-[a-z0-9]{10,32}", says="an Organization's id, like o-abc..."
    )
    shared = _parameters(top.section("parameters"), "member", member)
    wanted = Wanted(
        organization=organization,
        region=top.choice("region", "us-east-1", tuple(REGIONS.values())),
        deploy_from=top.text(
            "deploy_from",
            "management",
            shape=f"management|{ACCOUNT}",
            says='"management", or the id of the account that is delegated administrator',
        ),
        bucket=top.text(
            "bucket",
            BUCKETS,
            # The account's id comes after it; 63 characters are the longest name that S3 takes.
            shape=f"{BUCKETS}(-[a-z0-9][a-z0-9-]{{0,23}})?",
            says=f'"{BUCKETS}", or that with a hyphen and up to 24 small letters, digits and '
            "hyphens after it",
        ),
        trail=Trail(top.choice("trail", "organization", tuple(one.value for one in Trail))),
        observe_days=top.number("observe_days", 14, least=0, most=365),
        access=_access(top.section("access")),
        central=_central(top.section("central"), central, organization),
        guardrail=_guardrail(top.section("guardrail")),
        rings=tuple(_ring(one, member, shared) for one in top.sections("ring")),
        management=_management(top.section("management"), member, shared),
        excluded=tuple(_excluded(one) for one in top.sections("excluded")),
    )
    wanted = replace(wanted, recipients=read_recipients(top, wanted.central))
    top.close()
    return wanted


def _access(section: Section) -> Access:
    profiles = section.section("profiles")
    for account in profiles.table:
        if not re.fullmatch(ACCOUNT, account):
            profiles.wrong(account, f"{profiles.name(account)}: {account!r} is no account id.")
    access = Access(
        role=section.text(
            "role",
            ACCESS_ROLE,
            shape=r"[\w+=,.@/-]{1,512}",
            says="the name of a role, with its path",
        ),
        profiles={account: str(profile) for account, profile in profiles.table.items()},
    )
    section.close()
    return access


def _central(section: Section, declared: Declared, organization: str) -> Central:
    account = section.text(
        "account", None, shape=ACCOUNT, says="the 12 digits of the security account, in quotes"
    )
    given = _parameters(section.section("parameters"), "central", declared)
    if not given.get("Email") and not given.get("SNSTopicArn"):
        section.wrong(
            "parameters",
            "central.parameters: give Email or SNSTopicArn, or nobody hears of an incident.",
        )
    if bool(given.get("ExtraEmail")) != bool(given.get("ExtraAccounts")):
        section.wrong(
            "parameters", "central.parameters: give both ExtraEmail and ExtraAccounts, or neither."
        )
    central = Central(
        account=account,
        parameters=complete(declared, {**given, "OrganizationId": organization}),
        service_role=_service_role(section),
    )
    section.close()
    return central


def _guardrail(section: Section) -> Guardrail:
    guardrail = Guardrail(
        attach=Reach(section.choice("attach", "nowhere", tuple(one.value for one in Reach))),
        canary=section.text("canary", "", says="a unit: its id, or its path like Sandbox/Small"),
        policy_name=section.text(
            "policy_name", "iam-org-revoker", shape=r"[ -~]{1,128}", says="a policy's name"
        ),
    )
    if guardrail.attach is not Reach.NOWHERE and not guardrail.canary:
        section.wrong("canary", "guardrail.canary is missing: the unit that gets it first.")
    section.close()
    return guardrail


def _ring(section: Section, declared: Declared, shared: Mapping[str, str]) -> Ring:
    mode, since, unguarded = _mode(section)
    own = _parameters(section.section("parameters"), "member", declared)
    units = section.texts(
        "units", says='a list of OU ids or paths like "Workloads/Prod"; "/" is the root'
    )
    if len(units) > MOST_UNITS:
        section.wrong(
            "units",
            f"{section.name('units')} names {len(units)} units, and StackSets take {MOST_UNITS} in "
            "a call: name units above them, or part the ring in two.",
        )
    ring = Ring(
        name=section.text(
            "name",
            None,
            shape=f"[a-z][a-z0-9-]{{0,{LONGEST_RING - 1}}}",
            says="small letters, digits and hyphens",
        ),
        units=units,
        mode=mode,
        parameters=complete(declared, {**shared, **own, "Mode": mode}),
        observed_since=since,
        accept_unguarded=unguarded,
        tolerance_percent=section.number("tolerance_percent", 0, least=0, most=100),
        concurrent_percent=section.number("concurrent_percent", 100, least=1, most=100),
        retain_on_leave=section.flag("retain_on_leave", False),
        takes_over=section.text(
            "takes_over",
            "",
            shape=f"{PRODUCT}(-[a-zA-Z0-9-]+)?",
            says=f"the name of a StackSet, {PRODUCT} or {PRODUCT}-...",
        ),
    )
    section.close()
    return ring


def _management(section: Section, declared: Declared, shared: Mapping[str, str]) -> Management:
    mode, since, unguarded = _mode(section)
    own = _parameters(section.section("parameters"), "member", declared)
    management = Management(
        install=section.flag("install", True),
        mode=mode,
        parameters=complete(declared, {**shared, **own, "Mode": mode}),
        observed_since=since,
        accept_unguarded=unguarded,
        service_role=_service_role(section),
    )
    section.close()
    return management


def _mode(section: Section) -> tuple[str, date | None, bool]:
    return (
        section.choice("mode", "observe", MODES),
        section.day("observed_since"),
        section.flag("accept_unguarded", False),
    )


def _service_role(section: Section) -> str:
    return section.text("service_role", "", shape=ROLE_ARN, says="the ARN of a role")


def _excluded(section: Section) -> Excluded:
    excluded = Excluded(
        account=section.text("account", None, shape=ACCOUNT, says="12 digits, in quotes"),
        reason=section.text("reason", None, says="the reason, for whoever reads it later"),
    )
    section.close()
    return excluded


def _parameters(section: Section, template: str, declared: Declared) -> dict[str, str]:
    given = section.scalars()
    for name, sentence in parameter_problems(template, declared, given):
        section.wrong(name, sentence)
    return given


def _check_whole(wanted: Wanted, top: Section) -> None:
    """What only several values together can get wrong."""
    if not wanted.rings:
        top.wrong("ring", "There is no [[ring]]: nothing would be covered.", here=True)
    rings, excluded = list(enumerate(wanted.rings)), list(enumerate(wanted.excluded))
    for what, values in (
        ("Two rings are called", [(("ring", n, "name"), ring.name) for n, ring in rings]),
        (
            "Two rings have the StackSet",
            [(("ring", n, "takes_over"), ring.takes_over) for n, ring in rings],
        ),
        (
            "Two rings name the unit",
            [(("ring", n, "units"), unit) for n, ring in rings for unit in ring.units],
        ),
        ("Excluded twice is", [(("excluded", n, "account"), one.account) for n, one in excluded]),
    ):
        for place, value in _repeated(values):
            top.problems.add(place, f"{what} {value!r}.")
    makes = wanted.trail is Trail.MAKE
    everywhere = [("ring", ring.parameters) for ring in wanted.rings]
    for key, parameters in [*everywhere, ("management", wanted.management.parameters)]:
        if makes != bool(parameters.get("TrailDestS3BucketName")):
            top.wrong(
                "trail",
                'trail = "make" needs TrailDestS3BucketName in [parameters], the bucket that takes '
                f"the trails, and no other value of trail does ({key}).",
            )
            break


def _repeated(values: Iterable[tuple[Place, str]]) -> Iterator[tuple[Place, str]]:
    """Each value that is there twice, once, with the place of its second."""
    counts: dict[str, int] = {}
    for place, value in values:
        counts[value] = counts.get(value, 0) + 1
        if value and counts[value] == 2:
            yield place, value
