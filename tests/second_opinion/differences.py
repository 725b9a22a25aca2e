"""Where the two evaluators do not answer alike, and why that is no fault of a policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.second_opinion.evaluators import ALLOWED, Answer, Question, theirs
from tests.second_opinion.recorder import Decided


@dataclass(frozen=True)
class Difference:
    why: str
    holds: Callable[[Question, str, Answer], bool]


# Of every action on every resource with every key: most of these no request can be.
OF_ALL_WRITES = (
    Difference(
        "iam-simulate decides no request for a type of resource that the action does not have, nor "
        "one on a resource where the action has none: no caller can make it. We refuse it.",
        lambda asked, ours, answer: (
            answer.error in ("no.resource.types", "must.use.wildcard") and ours != ALLOWED
        ),
    ),
    Difference(
        "Operations of botocore that iam-simulate's copy of the Service Authorization Reference "
        "does not have yet. We refuse them.",
        lambda asked, ours, answer: answer.error == "invalid.action" and ours != ALLOWED,
    ),
    Difference(
        "For * iam-simulate looks for any resource that a policy allows; AWS asks for the one that "
        "the request names, which stands in another row.",
        lambda asked, ours, answer: asked.resource == "*" and answer.verdict == ALLOWED,
    ),
    Difference(
        "A key that the action does not carry: the product of all keys has it, no request does.",
        lambda asked, ours, answer: (
            answer.verdict == ours
            and {*answer.ignored} <= {"iam:policyarn", "iam:permissionsboundary"}
        ),
    ),
)
IN_THE_SANDBOX = (
    Difference(
        "The emulator sends dynamodb:Select with every call of DynamoDB, AWS with Query and Scan. "
        "No policy of ours asks for it.",
        lambda asked, ours, answer: (
            answer.verdict == ours and answer.ignored == ("dynamodb:select",)
        ),
    ),
    Difference(
        "The emulator names the organization where the action has no resource; the guardrail "
        "says *.",
        lambda asked, ours, answer: (
            asked.action == "organizations:LeaveOrganization"
            and answer.error == "must.use.wildcard"
        ),
    ),
)


def unexplained(decided: Iterable[Decided], known: tuple[Difference, ...] = ()) -> list[str]:
    """Ask the second evaluator as well; answer each difference in words.

    A known one that is not met is in the answer, too: its line can go.
    """
    different = {json.dumps(vars(asked), sort_keys=True): (asked, ours) for asked, ours in decided}
    found, met = set(), set()
    answers = theirs(asked for asked, _ in different.values())
    for (asked, ours), answer in zip(different.values(), answers, strict=True):
        if answer == Answer(verdict=ours):
            continue
        explained = [one for one in known if one.holds(asked, ours, answer)]
        met |= {one.why for one in explained}
        if not explained:
            said = answer.verdict or answer.error
            ignored = f", without {', '.join(answer.ignored)}" if answer.ignored else ""
            found.add(
                f"{asked.action} on {asked.resource} by {asked.who}: "
                f"{ours} here, {said} there{ignored}"
            )
    return sorted(found | {f"not met: {one.why}" for one in known if one.why not in met})
