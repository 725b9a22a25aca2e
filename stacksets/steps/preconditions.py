"""What must hold before anything is done: refusals in words, and the steps of trust. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from stacksets.config.load import REGIONS
from stacksets.config.model import Management, Ring, Trail
from stacksets.steps.guardrail import guarded_units, is_guarded, many
from stacksets.steps.inputs import Given
from stacksets.steps.model import Call, Step, StepKind

STACKSETS_SERVICE = "member.org.stacksets.cloudformation.amazonaws.com"


def trust_steps(given: Given) -> Iterator[Step]:
    """Let StackSets work in the Organization."""
    if given.observed.stack_sets_trusted:
        return
    management = given.observed.organization.management
    step = Step(
        kind=StepKind.TRUST,
        says="Switch trusted access for StackSets on",
        target_text="the whole Organization",
        calls=(Call(management, "cloudformation", "ActivateOrganizationsAccess", {}),),
    )
    yield step.for_management() if given.wanted.delegated else step


def refusals(given: Given) -> Iterator[str]:
    """Everything that stops a rollout before it begins, a sentence each."""
    yield from _place(given)
    yield from _units(given)
    yield from _other_sets(given)
    yield from _trail(given)
    for ring in given.wanted.rings:
        yield from _enforcing(given, ring)
    if given.wanted.management.install:
        yield from _enforcing(given, given.wanted.management)


def _place(given: Given) -> Iterator[str]:
    wanted, organization = given.wanted, given.observed.organization
    if wanted.organization != organization.id:
        yield (
            f"The file is for the Organization {wanted.organization}, and these credentials lead "
            f"to {organization.id}: take the other credentials or the other file."
        )
    if not organization.all_features:
        yield (
            "The Organization has consolidated billing only, and StackSets need all features: the "
            "management account enables them (aws organizations enable-all-features)."
        )
    if given.observed.partition == "aws-cn" and wanted.delegated:
        yield (
            "In the China regions StackSets know no delegated administrator: write "
            'deploy_from = "management".'
        )
    region = REGIONS.get(given.observed.partition, wanted.region)
    if region != wanted.region:
        yield (
            f"IAM's events of the partition {given.observed.partition} appear in {region}, not in "
            f'{wanted.region}: write region = "{region}".'
        )
    if wanted.central.account not in organization.accounts:
        yield f"The security account {wanted.central.account} is not in this Organization."
    if wanted.central.account == organization.management:
        yield (
            "The security account is the management account: whoever works there is bound by no "
            "service control policy. Take an account of its own."
        )


def _units(given: Given) -> Iterator[str]:
    """Units that do not exist, and units inside one another: a member takes one stack only."""
    known = ", ".join(
        sorted("/".join(unit.path) or "/" for unit in given.observed.organization.units.values())
    )
    named = [(f"ring {ring.name}", unit) for ring in given.wanted.rings for unit in ring.units]
    if given.wanted.guardrail.canary:
        named.append(("guardrail.canary", given.wanted.guardrail.canary))
    named += [(f"recipients: {one.email}", one.unit) for one in given.wanted.recipients]
    for who, unit in named:
        if given.unit_id(unit) is None:
            yield f"{who}: there is no unit {unit!r}; there are {known}."
    holders = [(unit, ring) for ring in given.wanted.rings for unit in given.ring_units(ring)]
    for unit, ring in holders:
        for other, owner in holders:
            if other in given.observed.organization.above(unit):
                yield (
                    f"ring {ring.name}: {given.unit_name(unit)} lies inside "
                    f"{given.unit_name(other)} of ring {owner.name}, and an account takes one "
                    "stack only: name units that do not hold one another."
                )


def _other_sets(given: Given) -> Iterator[str]:
    """Sets of ours that no ring of the file has, in accounts that a ring should cover."""
    rings = {ring.stack_set: ring for ring in given.wanted.rings}
    for name, seen in given.observed.stack_sets.items():
        for ring in rings.values() if name not in rings else ():
            both = sorted(given.ring_accounts(ring).keys() & seen.instances.keys())
            if both:
                yield (
                    f"The StackSet {name} is in {many(len(both), 'account')} that ring {ring.name} "
                    f"should cover, {both[0]} first, and an account takes one stack only: write "
                    f'takes_over = "{name}" into that ring, or take the set back first '
                    "(docs/removing.md)."
                )


def _trail(given: Given) -> Iterator[str]:
    if given.wanted.trail is not Trail.ORGANIZATION:
        return
    region = given.wanted.region
    trails = [one for one in given.observed.trails if one.of_organization]
    if any(not one.flaw(region) for one in trails):
        return
    for one in trails:
        yield f"The Organization's trail {one.name} {one.flaw(region)}."
    if not trails:
        yield (
            f"No trail of the Organization logs in {region}, and without a trail no event ever "
            'arrives: make one, or write trail = "accounts" if each account has its own, or trail '
            '= "make" with TrailDestS3BucketName in [parameters].'
        )


def _enforcing(given: Given, of: Ring | Management) -> Iterator[str]:
    if of.mode != "enforce":
        return
    name = f"ring {of.name}" if isinstance(of, Ring) else "management"
    if of.parameters.get("MissingGroup") == "undecided":
        yield (
            f"{name} cannot enforce while MissingGroup is undecided: "
            'write MissingGroup = "treat-as-empty" once every account has its '
            "administrators' group."
        )
    days = given.wanted.observe_days
    if of.observed_since is None:
        yield (
            f"{name} cannot enforce without observed_since, the day since which it has observed, "
            f"at least {many(days, 'day')} ago (observe_days)."
        )
    elif (given.today - of.observed_since).days < days:
        yield (
            f"{name} has observed since {of.observed_since} only, and observe_days wants "
            f"{many(days, 'day')}: wait, or lower observe_days."
        )
    if not of.accept_unguarded and not _all_guarded(given, of):
        yield (
            f"{name} cannot enforce without the guardrail on "
            + ("all its units" if isinstance(of, Ring) else "it, and no policy binds that account")
            + ': attach it (guardrail.attach = "rings"), or write accept_unguarded = true, and '
            "whoever is quick can take the deny off."
        )


def _all_guarded(given: Given, of: Ring | Management) -> bool:
    if isinstance(of, Management):
        return False
    # Who attaches it is somebody else, for a delegated administrator: it must be there.
    guarded = guarded_units(given, after=not given.wanted.delegated)
    return all(is_guarded(given, unit, guarded) for unit in given.ring_units(of))
