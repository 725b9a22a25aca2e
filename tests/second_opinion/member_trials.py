"""Trials of a member stack: dead letters, state table, function, and whom each role trusts."""

from __future__ import annotations

from tests.generator.filling import ACCOUNT, BUS
from tests.second_opinion.central_trials import TABLE
from tests.second_opinion.evaluators import ALLOWED, DENIED, NOT_ALLOWED, Keys
from tests.second_opinion.policies import HERE, RULE
from tests.second_opinion.trials import (
    ADMINISTRATOR,
    EVENTS,
    FORWARD,
    INVOKE,
    LAMBDA,
    OTHER_ADMINISTRATOR,
    OTHER_MEMBER,
    RESPONDER,
    REVOKER,
    STRANGE_ADMINISTRATOR,
    STRANGER,
    Trial,
    our_role,
    role,
)

SCHEDULER, CLOUDTRAIL = "scheduler.amazonaws.com", "cloudtrail.amazonaws.com"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
LETTERS = f"arn:aws:sqs:{HERE}:iam-org-revoker-dead-letters"
STATE = f"arn:aws:dynamodb:{HERE}:table/iam-org-revoker-state"
FUNCTION = f"arn:aws:lambda:{HERE}:function:iam-org-revoker"
FROM_FUNCTION = {"lambda:SourceFunctionArn": FUNCTION}
OUR_RULES = ("calls", "canary", "tamper", "tamper-stores")


def of_rule(name: str, account: str = ACCOUNT) -> Keys:
    """A rule's ARN, which is all that EventBridge sends along."""
    return {"aws:SourceArn": f"{RULE.replace(ACCOUNT, account)}/{name}"}


def letter(
    title: str, who: str, verdict: str, keys: Keys | None = None, identity: str = "everything"
) -> Trial:
    action = "sqs:SendMessage"
    return Trial(title, who, action, LETTERS, verdict, "dead letters", identity, keys or {})


LETTER_TRIALS = (
    *(
        letter(f"the rule {name}", EVENTS, ALLOWED, of_rule(f"iam-org-revoker-{name}"))
        for name in OUR_RULES
    ),
    letter("another rule", EVENTS, NOT_ALLOWED, of_rule("nightly")),
    letter("a rule elsewhere", EVENTS, NOT_ALLOWED, of_rule("iam-org-revoker-calls", STRANGER)),
    letter("EventBridge for no rule", EVENTS, NOT_ALLOWED),
    letter("another service", "sns.amazonaws.com", NOT_ALLOWED, of_rule("iam-org-revoker-calls")),
    letter("Lambda by the revoker's role", REVOKER, ALLOWED, identity="Revoker"),
    letter("Scheduler by its role", our_role("-reconcile"), ALLOWED, identity="Reconcile"),
    letter("Scheduler itself", SCHEDULER, NOT_ALLOWED),
    letter("the account's administrator forges a call", ADMINISTRATOR, DENIED),
    letter("the root user forges a call", ROOT, DENIED),
    letter("a role that looks like the revoker", role("iam-org-revoker"), DENIED),
    letter("a revoker of another account", our_role("", OTHER_MEMBER), DENIED),
    letter("the forward role", FORWARD, DENIED),
)

WRITES = (
    *("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"),
    *("PartiQLInsert", "PartiQLUpdate", "PartiQLDelete"),
)


def table(
    title: str,
    who: str,
    verdict: str,
    action: str = "PutItem",
    identity: str = "everything",
    keys: Keys | None = None,
) -> Trial:
    named = f"{title} ({action})"
    return Trial(
        named, who, f"dynamodb:{action}", STATE, verdict, "state table", identity, keys or {}
    )


TABLE_TRIALS = (
    *(
        table("the revoker's function", REVOKER, ALLOWED, action, "Revoker", FROM_FUNCTION)
        for action in ("PutItem", "UpdateItem", "DeleteItem", "BatchGetItem", "Scan")
    ),
    *(
        table("the revoker's role elsewhere", REVOKER, NOT_ALLOWED, action, "Revoker")
        for action in WRITES
    ),
    *(table("the account's administrator", ADMINISTRATOR, DENIED, action) for action in WRITES),
    table("the root user", ROOT, DENIED),
    table("a role that looks like the revoker", role("iam-org-revoker"), DENIED),
    table("a revoker of another account", our_role("", OTHER_MEMBER), DENIED),
    table("another account reads", OTHER_ADMINISTRATOR, NOT_ALLOWED, "Scan"),
    # The table as a whole is the guardrail's, and everybody may look.
    table("the account's administrator", ADMINISTRATOR, ALLOWED, "Scan"),
    table("the account's administrator", ADMINISTRATOR, ALLOWED, "DeleteResourcePolicy"),
    table("the revoker's function", REVOKER, NOT_ALLOWED, "DeleteTable", "Revoker", FROM_FUNCTION),
    table(
        "the revoker's function", REVOKER, NOT_ALLOWED, "PartiQLInsert", "Revoker", FROM_FUNCTION
    ),
)


def invoke(
    title: str,
    who: str,
    verdict: str,
    keys: Keys | None = None,
    identity: str = "everything",
    policy: str = "revoker function",
    function: str = FUNCTION,
) -> Trial:
    return Trial(title, who, INVOKE, function, verdict, policy, identity, keys or {})


FUNCTION_TRIALS = (
    # No aws:SourceAccount comes along (EventBridge User Guide, "Troubleshooting").
    invoke("the rule of calls", EVENTS, ALLOWED, of_rule("iam-org-revoker-calls")),
    invoke("the rule of the canary", EVENTS, ALLOWED, of_rule("iam-org-revoker-canary")),
    invoke("another rule", EVENTS, NOT_ALLOWED, of_rule("nightly")),
    invoke("a rule elsewhere", EVENTS, NOT_ALLOWED, of_rule("iam-org-revoker-calls", STRANGER)),
    invoke("EventBridge for no rule", EVENTS, NOT_ALLOWED),
    invoke("another service", "sns.amazonaws.com", NOT_ALLOWED, of_rule("iam-org-revoker-calls")),
    invoke("the schedule's role", our_role("-reconcile"), ALLOWED, identity="Reconcile"),
    invoke("the responder role", RESPONDER, ALLOWED, identity="Responder"),
    invoke("the responder role by this policy alone", RESPONDER, ALLOWED, identity="nothing"),
    invoke("a responder role elsewhere", our_role("-responder", OTHER_MEMBER), NOT_ALLOWED),
    invoke("another account", OTHER_ADMINISTRATOR, NOT_ALLOWED),
    invoke("another organization", STRANGE_ADMINISTRATOR, NOT_ALLOWED),
    invoke("a principal without permissions", role("x"), NOT_ALLOWED, identity="nothing"),
    invoke("the revoker's role", REVOKER, NOT_ALLOWED, FROM_FUNCTION, identity="Revoker"),
    # A function of another organization that let the responder role in would not be asked.
    invoke(
        "the responder role, in another organization",
        RESPONDER,
        NOT_ALLOWED,
        identity="Responder",
        policy="open function",
        function=FUNCTION.replace(ACCOUNT, STRANGER),
    ),
    invoke(
        "the responder role, in a member account",
        RESPONDER,
        ALLOWED,
        identity="Responder",
        policy="open function",
        function=FUNCTION.replace(ACCOUNT, OTHER_MEMBER),
    ),
)


def trust(
    title: str,
    who: str,
    verdict: str,
    of: str,
    keys: Keys | None = None,
    identity: str = "everything",
) -> Trial:
    arn = our_role("" if of == "Revoker" else f"-{of.lower()}")
    action, policy = "sts:AssumeRole", f"trust of {of}"
    return Trial(title, who, action, arn, verdict, policy, identity, keys or {})


def of_source(arn: str, account: str = ACCOUNT) -> Keys:
    """Both keys come along (EventBridge User Guide and EventBridge Scheduler User Guide, "confused
    deputy prevention")."""
    return {"aws:SourceArn": arn.replace(ACCOUNT, account), "aws:SourceAccount": account}


SCHEDULES = f"arn:aws:scheduler:{HERE}:schedule-group/default"
ANALYST = role("security/analyst")
TRUST_TRIALS = (
    *(trust("Lambda", LAMBDA, ALLOWED, of) for of in ("Revoker", "Notifier")),
    *(
        trust("another service", "ec2.amazonaws.com", NOT_ALLOWED, of)
        for of in ("Revoker", "Trail")
    ),
    *(
        trust("the account's administrator", ADMINISTRATOR, NOT_ALLOWED, of)
        for of in ("Revoker", "Forward", "Reconcile", "Trail", "Notifier", "Responder")
    ),
    *(
        trust(
            f"the rule {name}",
            EVENTS,
            ALLOWED,
            "Forward",
            of_source(f"{RULE}/iam-org-revoker-{name}"),
        )
        for name in ("tamper", "tamper-stores")
    ),
    trust("another rule", EVENTS, NOT_ALLOWED, "Forward", of_source(f"{RULE}/nightly")),
    trust(
        "a rule elsewhere",
        EVENTS,
        NOT_ALLOWED,
        "Forward",
        of_source(f"{RULE}/iam-org-revoker-tamper", STRANGER),
    ),
    trust("Scheduler", SCHEDULER, ALLOWED, "Reconcile", of_source(SCHEDULES)),
    trust(
        "Scheduler elsewhere",
        SCHEDULER,
        NOT_ALLOWED,
        "Reconcile",
        of_source(SCHEDULES, STRANGER),
    ),
    trust("CloudTrail", CLOUDTRAIL, ALLOWED, "Trail"),
    trust("the account's administrator", ADMINISTRATOR, DENIED, "Canary"),
    trust("the root user", ROOT, DENIED, "Canary"),
    trust("an analyst who may assume roles", ANALYST, ALLOWED, "Responder"),
    trust("an analyst who may not", ANALYST, NOT_ALLOWED, "Responder", identity="nothing"),
    trust(
        "an analyst of another account",
        role("security/analyst", OTHER_MEMBER),
        NOT_ALLOWED,
        "Responder",
    ),
)


def may(title: str, who: str, verdict: str, action: str, resource: str, identity: str) -> Trial:
    return Trial(title, who, action, resource, verdict, identity=identity)


LOG = f"arn:aws:logs:{HERE}:log-group:/aws/cloudtrail/iam-org-revoker:log-stream"
IDENTITY_TRIALS = (
    may("forwards to our bus", FORWARD, ALLOWED, "events:PutEvents", BUS, "Forward"),
    may("forwards to no other", FORWARD, NOT_ALLOWED, "events:PutEvents", f"{BUS}-2", "Forward"),
    may("changes no bus", FORWARD, NOT_ALLOWED, "events:PutPermission", "*", "Forward"),
    may(
        "invokes nothing else",
        our_role("-reconcile"),
        NOT_ALLOWED,
        INVOKE,
        f"{FUNCTION}-2",
        "Reconcile",
    ),
    may(
        "writes its log stream",
        our_role("-trail"),
        ALLOWED,
        "logs:PutLogEvents",
        f"{LOG}:{ACCOUNT}_CloudTrail_us-east-1_2",
        "Trail",
    ),
    may(
        "writes no other", our_role("-trail"), NOT_ALLOWED, "logs:PutLogEvents", f"{LOG}:x", "Trail"
    ),
    may("counts", our_role("-notifier"), ALLOWED, "dynamodb:UpdateItem", TABLE, "Notifier"),
    may(
        "deletes nothing",
        our_role("-notifier"),
        NOT_ALLOWED,
        "dynamodb:DeleteItem",
        TABLE,
        "Notifier",
    ),
)

MEMBER_TRIALS = (
    *LETTER_TRIALS,
    *TABLE_TRIALS,
    *FUNCTION_TRIALS,
    *TRUST_TRIALS,
    *IDENTITY_TRIALS,
)
