"""What stands though the file does not ask for it, which apply leaves and tells of. Pure.

Apply takes no protection away: a guardrail and the management account's revoker go by a person's
own hand, or by remove.
"""

from __future__ import annotations

from collections.abc import Iterator

from stacksets.config.model import MANAGEMENT_STACK
from stacksets.steps.guardrail import guardrail_policy, wanted_targets
from stacksets.steps.inputs import Given


def unmanaged(given: Given) -> Iterator[str]:
    """A sentence for each, with how it goes."""
    wanted, observed = given.wanted, given.observed
    rings = {ring.stack_set for ring in wanted.rings}
    for name in observed.stack_sets.keys() - rings:
        yield (
            f"The StackSet {name} belongs to no ring of the file: name its ring again, or take it "
            "back with remove."
        )
    yield from _guardrail(given)
    if observed.management_stack is not None and not wanted.management.install:
        yield (
            f"The stack {MANAGEMENT_STACK} stands in the management account, and the file says "
            "management.install = false: apply leaves it. If it is to go, release who is contained "
            "there (python -m responder list), then: aws cloudformation delete-stack --region "
            f"{wanted.region} --stack-name {MANAGEMENT_STACK}"
        )


def _guardrail(given: Given) -> Iterator[str]:
    policy = guardrail_policy(given)
    if policy is None:
        return
    targets = set(wanted_targets(given))
    # What is attached above a wanted unit serves it.
    serving = targets | {
        one for target in targets for one in given.observed.organization.above(target)
    }
    for target in policy.targets:
        if target not in serving:
            yield (
                f"The guardrail is attached to {given.unit_name(target)}, where the file does not "
                f'ask for it (guardrail.attach = "{given.wanted.guardrail.attach.value}"): apply '
                "leaves it. If it is to go: aws organizations detach-policy --policy-id "
                f"{policy.id} --target-id {target}"
            )
