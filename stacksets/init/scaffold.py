"""The first rollout file, written from what was found in an Organization. Pure text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from handler.model.settings import KNOBS, read_role_patterns
from handler.notifier.messages.notice import visible
from stacksets.config.model import ACCESS_ROLE, CONTROL_TOWER_ROLE
from stacksets.init.admin_candidates import Proposal
from stacksets.observed.organization import Account, Organization, Unit
from stacksets.steps.guardrail import many

DEFAULT_PATTERNS = next(
    knob.default.split(",") for knob in KNOBS if knob.parameter == "AdminRolePatterns"
)


@dataclass(frozen=True)
class Found:
    """What was found: `unread` are sentences about what could not be read."""

    organization: Organization
    region: str
    organization_trail: bool
    central: Account | None
    email: str
    deploy_from: str
    access_role: str
    proposals: Sequence[Proposal]
    unread: Sequence[str]


def first_file(found: Found) -> str:
    """The file's text. It is whole but for what nobody can find out: where it is empty, the
    reader asks for it."""
    blocks = (_top(found), _access(found), _central(found), _guardrail(found), _parameters(found))
    rings = _rings(found)
    return "\n".join(line for block in (*blocks, rings, _rest()) for line in block)


def guess_central(organization: Organization) -> Account | None:
    """The account that is called like a security account, if just one is."""
    named = [
        account
        for account in organization.accounts.values()
        if account.id != organization.management
        and account.status == "ACTIVE"
        and any(word in account.name.lower() for word in ("security", "audit"))
    ]
    exact = [account for account in named if "security" in account.name.lower()]
    return named[0] if len(named) == 1 else exact[0] if len(exact) == 1 else None


def is_default(proposal: Proposal) -> bool:
    """Whether the patterns that the file has anyway fit it."""
    whole = proposal.pattern.startswith("arn:")
    arn = proposal.pattern if whole else f"arn:aws:iam::123456789012:{proposal.pattern}"
    patterns = read_role_patterns(",".join(DEFAULT_PATTERNS))
    return any(one.matches(role_arn=arn, on=date.min) for one in patterns)


def text(value: str) -> str:
    """A TOML string: what JSON would write, but that TOML knows no pairs of surrogates."""
    quoted = json.dumps(value, ensure_ascii=False)
    return quoted.replace("\x7f", "\\u007f")


def _top(found: Found) -> Iterator[str]:
    accounts = len(found.organization.accounts)
    yield "# The rollout of IAM Org Revoker (python -m stacksets). Each value: docs/rollout.md."
    yield ""
    yield f"organization = {text(found.organization.id)}  # {accounts:,} accounts today"
    yield "# Where IAM's events appear: one region in each partition."
    yield f"region = {text(found.region)}"
    yield '# Who owns the StackSets: "management", or the id of a delegated administrator.'
    yield f"deploy_from = {text(found.deploy_from)}"
    yield '# "organization": one trail for all. "accounts": each account has its own. "make": the'
    yield "# stacks make one each, into the bucket TrailDestS3BucketName of [parameters]."
    if found.organization_trail:
        yield 'trail = "organization"'
    else:
        yield "# No organization trail was found that logs IAM's write calls."
        yield 'trail = "accounts"'
    yield "# A ring may enforce after so many days in observe mode."
    yield "observe_days = 14"
    yield ""


def _access(found: Found) -> Iterator[str]:
    yield "[access]"
    yield "# How to enter the other accounts: with this role, or with a profile of your AWS"
    yield f"# configuration. Accounts that Control Tower made have {CONTROL_TOWER_ROLE},"
    yield f"# others {ACCESS_ROLE}."
    yield f"role = {text(found.access_role)}"
    yield ""
    yield "[access.profiles]"
    central = found.central.id if found.central else "123456789012"
    yield f'# {central} = "security"'
    yield ""


def _central(found: Found) -> Iterator[str]:
    yield "[central]"
    yield "# The security account: reports arrive here, mails leave from here."
    if found.central:
        name = visible(found.central.name)
        yield f"account = {text(found.central.id)}  # {name}"
    else:
        yield "# No account has a name like security; choose one."
        yield 'account = ""'
    yield "# A role that CloudFormation uses there, instead of your own permissions."
    yield '# service_role = "arn:aws:iam::123456789012:role/cloudformation"'
    yield ""
    yield "[central.parameters]"
    yield "# The security team. AWS sends two mails that ask to confirm."
    yield f"Email = {text(found.email)}"
    yield ""


def _guardrail(found: Found) -> Iterator[str]:
    units = _units(found.organization)
    canary = _name(units[0]) if units else ""
    yield "[guardrail]"
    yield "# The service control policy that keeps the deny on: nowhere, canary (one OU only) or"
    yield "# rings (the canary OU first, then every OU of a ring). Enforcing needs rings."
    yield 'attach = "nowhere"'
    yield f"canary = {text(canary)}"
    yield ""


def _parameters(found: Found) -> Iterator[str]:
    yield "# Parameters of the member template, for every ring and the management account."
    yield "[parameters]"
    yield 'AdminGroupName = "Administrators"'
    yield "# The first entries are the roles that roll out and rescue an Organization."
    yield "AdminRolePatterns = ["
    for pattern in DEFAULT_PATTERNS:
        yield f"  {text(pattern)},"
    if found.proposals:
        yield "  # These look like administrators. Remove the # before each that is one."
    for proposal in found.proposals:
        yield f"  # {text(proposal.pattern)},  # {visible(proposal.reason)}"
    for sentence in found.unread:
        yield f"  # {visible(sentence)}"
    yield "]"
    yield '# Enforcing needs MissingGroup = "treat-as-empty", once each account has its group.'
    yield 'MissingGroup = "undecided"'
    yield ""


def _rings(found: Found) -> Iterator[str]:
    organization = found.organization
    units = _units(organization)
    yield "# Rings are rolled out in this order; a bad ring stops the rest. Units are OUs: ids, or"
    yield "# paths of names. Accounts that join them later are covered automatically."
    if not units:
        yield "# No OU holds an account today: this one ring is the whole Organization."
        yield from _ring(organization, "everyone", {"/": organization.root})
        return
    named = {_name(unit): unit.id for unit in units}
    first = _name(units[0])
    yield from _ring(organization, "canary", {first: named.pop(first)})
    if named:
        yield from _ring(organization, "everyone", named)
    yield from _loose(organization)


def _loose(organization: Organization) -> Iterator[str]:
    """Accounts that no ring of the file can have: a ring of the root would hold the others."""
    loose = [
        account
        for account in organization.accounts.values()
        if account.unit == organization.root
        and account.id != organization.management
        and account.status == "ACTIVE"
    ]
    if not loose:
        return
    yield "# Right below the root, and so in no ring: nothing is rolled out to these accounts, and"
    yield '# status calls each "not reached". Move it into an OU of a ring (aws organizations'
    yield f"# move-account --account-id ID --source-parent-id {organization.root}"
    yield "# --destination-parent-id UNIT), or exclude it, under [[excluded]] below."
    yield from (f"#   {one.id} {visible(one.name)}" for one in loose)
    yield ""


def _ring(organization: Organization, name: str, units: Mapping[str, str]) -> Iterator[str]:
    """`units`: ids by what the file calls them."""
    yield "[[ring]]"
    yield f"name = {text(name)}"
    yield "units = ["
    for called, unit in units.items():
        # StackSets never deploy into the management account, wherever it stands.
        inside = [one for one in organization.below(unit) if one.id != organization.management]
        yield f"  {text(called)},  # {many(len(inside), 'account')}"
    yield "]"
    yield 'mode = "observe"'
    yield "# observed_since = 2026-01-31"
    yield "tolerance_percent = 0"
    yield "concurrent_percent = 100"
    yield "retain_on_leave = false"
    yield ""


def _rest() -> Iterator[str]:
    yield "[management]"
    yield "# StackSets never deploy into the management account: it needs its own stack."
    yield "install = true"
    yield 'mode = "observe"'
    yield ""
    yield "# [[excluded]]"
    yield '# account = "123456789012"'
    yield '# reason = "closed next month"'
    yield ""
    yield "# Who gets the mails about one OU's accounts, in addition to the security team."
    yield "# [[recipients]]"
    yield '# ou = "Workloads/Prod"  # or its id, like "ou-ab12-examplee1"'
    yield '# email = "prod-team@example.com"'
    yield ""


def _units(organization: Organization) -> list[Unit]:
    """The units right below the root that hold accounts, the smallest first."""
    units = [unit for unit in organization.units.values() if unit.parent == organization.root]
    filled = [unit for unit in units if organization.below(unit.id)]
    return sorted(filled, key=lambda unit: (len(organization.below(unit.id)), unit.name))


def _name(unit: Unit) -> str:
    """A unit's name, or its id where a name holds what separates names."""
    return unit.id if "/" in unit.name else unit.name
