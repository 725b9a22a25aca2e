"""Trials of the central bus: who may report, and who may forward what AWS says."""

from __future__ import annotations

from dataclasses import replace

from handler.model.names import REPORT_SOURCE
from tests.generator.filling import ACCOUNT, BUS
from tests.second_opinion.evaluators import ALLOWED, DENIED, NOT_ALLOWED, Keys
from tests.second_opinion.trials import (
    ADMINISTRATOR,
    EVENTS,
    FORWARD,
    OTHER_FORWARD,
    OTHER_MEMBER,
    OTHER_REVOKER,
    REVOKER,
    STRANGER,
    Trial,
    our_role,
    role,
)


def put_events(*sources: str) -> Keys:
    """A PutEvents by hand names its sources, one value for each (EventBridge User Guide, "Using
    IAM policy conditions"; Service Authorization Reference: ArrayOfString)."""
    return {
        "events:source": list(sources),
        "events:detail-type": ["IAM Org Revoker Report"],
        "events:eventBusInvocation": "false",
    }


def forwarded(account: str, *sources: str) -> Keys:
    """A rule that forwards (the same page). Whether it names a source, the page does not say."""
    named: Keys = {"events:source": list(sources)} if sources else {}
    return {
        "events:eventBusInvocation": "true",
        "aws:SourceArn": f"arn:aws:events:us-east-1:{account}:rule/iam-org-revoker-tamper",
        "aws:SourceAccount": account,
        **named,
    }


REPORT = put_events(REPORT_SOURCE)
SECOND_SOURCE = put_events(REPORT_SOURCE, "evil")
FORWARDED, OWN_FORWARD = forwarded(OTHER_MEMBER, "aws.lambda"), forwarded(ACCOUNT, "aws.lambda")


def bus(
    title: str,
    who: str,
    verdict: str,
    keys: Keys = REPORT,
    *,
    identity: str = "everything",
    policy: str = "bus",
) -> Trial:
    return Trial(title, who, "events:PutEvents", BUS, verdict, policy, identity, keys)


BUS_TRIALS = (
    bus("a member reports", OTHER_REVOKER, ALLOWED, identity="Revoker"),
    bus("the central account's own revoker reports", REVOKER, ALLOWED, identity="Revoker"),
    bus("a member reports in the name of AWS", OTHER_REVOKER, NOT_ALLOWED, put_events("aws.iam")),
    bus("a batch has a second source", OTHER_REVOKER, NOT_ALLOWED, SECOND_SOURCE),
    bus("a request names no source", OTHER_REVOKER, NOT_ALLOWED, {}),
    bus(
        "a tamper event is forwarded and names its source",
        OTHER_FORWARD,
        ALLOWED,
        FORWARDED,
        identity="Forward",
    ),
    bus(
        "a tamper event is forwarded without a source",
        OTHER_FORWARD,
        ALLOWED,
        forwarded(OTHER_MEMBER),
        identity="Forward",
    ),
    bus(
        "the central account's own tamper event is forwarded",
        FORWARD,
        ALLOWED,
        OWN_FORWARD,
        identity="Forward",
    ),
    bus("the forward role forges a report", OTHER_FORWARD, NOT_ALLOWED),
    bus("a role of a member forges a report", role("deploy", OTHER_MEMBER), DENIED),
    bus(
        "a role of a member forges a tamper event",
        role("deploy", OTHER_MEMBER),
        DENIED,
        FORWARDED,
    ),
    bus("the revoker's name without its path", role("iam-org-revoker", OTHER_MEMBER), DENIED),
    bus(
        "the revoker's name on a longer path",
        role("x/iam-org-revoker/iam-org-revoker", OTHER_MEMBER),
        DENIED,
    ),
    bus("the revoker's path, another name", our_role("-evil", OTHER_MEMBER), DENIED),
    bus("a user named like the revoker", OTHER_REVOKER.replace(":role/", ":user/"), DENIED),
    bus("the root user of a member", f"arn:aws:iam::{OTHER_MEMBER}:root", DENIED),
    bus("the central account's administrator", ADMINISTRATOR, DENIED),
    bus("the root user of the central account", f"arn:aws:iam::{ACCOUNT}:root", DENIED),
    bus("a revoker of another organization", our_role("", STRANGER), NOT_ALLOWED),
    bus(
        "a forward role of another organization",
        our_role("-forward", STRANGER),
        NOT_ALLOWED,
        forwarded(STRANGER, "aws.lambda"),
    ),
    bus("a rule that uses no role", EVENTS, DENIED, FORWARDED),
    # In the bus's own account its policy is not needed where an identity policy allows.
    bus(
        "the central account's own revoker names another source",
        REVOKER,
        ALLOWED,
        put_events("aws.iam"),
        identity="Revoker",
    ),
    bus(
        "the central account's own revoker without its policies",
        REVOKER,
        ALLOWED,
        identity="nothing",
    ),
    bus(
        "such a revoker names a second source",
        REVOKER,
        NOT_ALLOWED,
        SECOND_SOURCE,
        identity="nothing",
    ),
    bus("a member's revoker without its policies", OTHER_REVOKER, NOT_ALLOWED, identity="nothing"),
    *(
        replace(trial, policy="bus without an organization")
        for trial in (
            bus("its own revoker", REVOKER, ALLOWED, identity="nothing"),
            bus("its own forward role", FORWARD, ALLOWED, OWN_FORWARD, identity="nothing"),
            bus("its administrator", ADMINISTRATOR, DENIED),
            bus("another's revoker", OTHER_REVOKER, NOT_ALLOWED),
            bus("another's forward role", OTHER_FORWARD, NOT_ALLOWED, FORWARDED),
            bus("a second source", REVOKER, NOT_ALLOWED, SECOND_SOURCE, identity="nothing"),
            bus("no source", REVOKER, NOT_ALLOWED, {}, identity="nothing"),
            bus("a forged report", FORWARD, NOT_ALLOWED, identity="nothing"),
        )
    ),
    # A key of many values matches no operator for one (IAM User Guide, "Single-valued vs.
    # multivalued context keys"): such a policy lets no report of a member in.
    bus("a member reports", OTHER_REVOKER, NOT_ALLOWED, policy="bus, single-valued"),
)
