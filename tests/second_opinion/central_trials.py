"""Trials of the central stack: its bus, queues, topics, key, and the responder role."""

from __future__ import annotations

from dataclasses import replace

from handler.names import REPORT_SOURCE
from tests.generator.filling import ACCOUNT, BUS
from tests.second_opinion.evaluators import ALLOWED, DENIED, NOT_ALLOWED, Keys
from tests.second_opinion.policies import (
    HEALTH_TOPIC,
    HERE,
    INCIDENT_TOPIC,
    KEY,
    NOTIFIER,
    REPORTS_RULE,
    RULE,
)
from tests.second_opinion.trials import OTHER_MEMBER, STRANGER, Trial, ours, role

REVOKER, FORWARD, RESPONDER = ours(""), ours("-forward"), ours("-desk")
OTHER_REVOKER, OTHER_FORWARD = ours("", OTHER_MEMBER), ours("-forward", OTHER_MEMBER)
ADMINISTRATOR, OTHER_ADMINISTRATOR = role("admin"), role("admin", OTHER_MEMBER)
STRANGE_ADMINISTRATOR = role("admin", STRANGER)
EVENTS, CLOUDWATCH, LAMBDA = (
    f"{name}.amazonaws.com" for name in ("events", "cloudwatch", "lambda")
)
QUEUE = f"arn:aws:sqs:{HERE}:iam-org-revoker-reports"
LETTERS = f"{QUEUE}-dead-letters"
TABLE = f"arn:aws:dynamodb:{HERE}:table/iam-org-revoker-incidents"
FUNCTION = f"arn:aws:lambda:us-east-1:{OTHER_MEMBER}:function:iam-org-revoker"


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
    bus("the revoker's name on a longer path", role(f"x/{OTHER_REVOKER[31:]}"), DENIED),
    bus("the revoker's path, another name", ours("-evil", OTHER_MEMBER), DENIED),
    bus("a user named like the revoker", OTHER_REVOKER.replace(":role/", ":user/"), DENIED),
    bus("the root user of a member", f"arn:aws:iam::{OTHER_MEMBER}:root", DENIED),
    bus("the central account's administrator", ADMINISTRATOR, DENIED),
    bus("the root user of the central account", f"arn:aws:iam::{ACCOUNT}:root", DENIED),
    bus("a revoker of another organization", ours("", STRANGER), NOT_ALLOWED),
    bus(
        "a forward role of another organization",
        ours("-forward", STRANGER),
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


def send(title: str, who: str, verdict: str, policy: str = "reports queue", **more: str) -> Trial:
    """What EventBridge sends along is the rule's ARN (EventBridge User Guide, "Using
    resource-based policies", Amazon SQS permissions)."""
    resource = QUEUE if policy == "reports queue" else LETTERS
    keys = {"aws:SourceArn": more.pop("rule")} if "rule" in more else {}
    return Trial(title, who, "sqs:SendMessage", resource, verdict, policy, keys=keys, **more)


QUEUE_TRIALS = tuple(
    trial
    for policy in ("reports queue", "reports dead letters")
    for trial in (
        send("the rule on our bus", EVENTS, ALLOWED, policy, rule=REPORTS_RULE),
        send(
            "the rule's name on the default bus",
            EVENTS,
            NOT_ALLOWED,
            policy,
            rule=f"{RULE}/iam-org-revoker-reports",
        ),
        send(
            "the rule's name in another account",
            EVENTS,
            NOT_ALLOWED,
            policy,
            rule=REPORTS_RULE.replace(ACCOUNT, STRANGER),
        ),
        send("EventBridge for no rule", EVENTS, NOT_ALLOWED, policy),
        send("another service", "sns.amazonaws.com", NOT_ALLOWED, policy, rule=REPORTS_RULE),
        send("an administrator of a member", OTHER_ADMINISTRATOR, NOT_ALLOWED, policy),
        send("a revoker", OTHER_REVOKER, NOT_ALLOWED, policy),
        send("the notifier, which reads only", NOTIFIER, NOT_ALLOWED, policy, identity="Notifier"),
        # The central account's administrators may: their own policies suffice.
        send("the central account's administrator", ADMINISTRATOR, ALLOWED, policy),
        send("a principal without permissions", role("x"), NOT_ALLOWED, policy, identity="nothing"),
    )
)


def topic(title: str, who: str, verdict: str, arn: str = INCIDENT_TOPIC, **more: str) -> Trial:
    policy = "incident topic" if arn == INCIDENT_TOPIC else "health topic"
    action = more.pop("action", "sns:Publish")
    account = more.pop("alarm_of", "")
    keys = alarm(account) if account else {}
    return Trial(title, who, action, arn, verdict, policy, keys=keys, **more)


def alarm(account: str) -> Keys:
    """What CloudWatch sends to SNS (CloudWatch User Guide, "Notifying users on alarm changes")."""
    arn = f"arn:aws:cloudwatch:us-east-1:{account}:alarm:NotifierFails"
    return {"aws:SourceArn": arn, "aws:SourceAccount": account}


TOPIC_TRIALS = (
    topic("the notifier", NOTIFIER, ALLOWED, identity="Notifier"),
    topic("the notifier by the topic's policy alone", NOTIFIER, ALLOWED, identity="nothing"),
    topic("another role", ours("-evil"), NOT_ALLOWED, identity="nothing"),
    topic("an administrator of a member", OTHER_ADMINISTRATOR, NOT_ALLOWED),
    topic("a notifier of another account", ours("-notifier", OTHER_MEMBER), NOT_ALLOWED),
    topic("an alarm of this account", CLOUDWATCH, NOT_ALLOWED, alarm_of=ACCOUNT),
    topic("a subscriber elsewhere", OTHER_ADMINISTRATOR, NOT_ALLOWED, action="sns:Subscribe"),
    topic(
        "the notifier subscribes",
        NOTIFIER,
        NOT_ALLOWED,
        identity="Notifier",
        action="sns:Subscribe",
    ),
    topic("an alarm of this account", CLOUDWATCH, ALLOWED, HEALTH_TOPIC, alarm_of=ACCOUNT),
    topic("an alarm elsewhere", CLOUDWATCH, NOT_ALLOWED, HEALTH_TOPIC, alarm_of=STRANGER),
    topic("CloudWatch for no alarm", CLOUDWATCH, NOT_ALLOWED, HEALTH_TOPIC),
    topic("EventBridge", EVENTS, NOT_ALLOWED, HEALTH_TOPIC, alarm_of=ACCOUNT),
    topic("the notifier", NOTIFIER, NOT_ALLOWED, HEALTH_TOPIC, identity="Notifier"),
    topic("an administrator of a member", OTHER_ADMINISTRATOR, NOT_ALLOWED, HEALTH_TOPIC),
)


def key(title: str, who: str, verdict: str, action: str = "Decrypt", **more: str) -> Trial:
    return Trial(title, who, f"kms:{action}", KEY, verdict, "key", **more)


KEY_TRIALS = (
    # No page says that CloudWatch sends aws:SourceAccount to KMS.
    key("an alarm", CLOUDWATCH, ALLOWED),
    key("an alarm", CLOUDWATCH, ALLOWED, "GenerateDataKey"),
    key("CloudWatch deletes it", CLOUDWATCH, NOT_ALLOWED, "ScheduleKeyDeletion"),
    key("another service", EVENTS, NOT_ALLOWED),
    key("the notifier", NOTIFIER, ALLOWED, identity="Notifier"),
    key("the notifier", NOTIFIER, ALLOWED, "GenerateDataKey", identity="Notifier"),
    key("the notifier encrypts", NOTIFIER, NOT_ALLOWED, "Encrypt", identity="Notifier"),
    key(
        "the notifier deletes it", NOTIFIER, NOT_ALLOWED, "ScheduleKeyDeletion", identity="Notifier"
    ),
    key("the account's administrator deletes it", ADMINISTRATOR, ALLOWED, "ScheduleKeyDeletion"),
    key("a principal without permissions", role("x"), NOT_ALLOWED, identity="nothing"),
    key("an administrator of a member", OTHER_ADMINISTRATOR, NOT_ALLOWED),
)


def responder(title: str, verdict: str, action: str, resource: str, policy: str = "") -> Trial:
    return Trial(title, RESPONDER, action, resource, verdict, policy, "Desk")


INVOKE = "lambda:InvokeFunction"
RESPONDER_TRIALS = (
    responder("reads incidents", ALLOWED, "dynamodb:Scan", TABLE),
    responder("writes none", NOT_ALLOWED, "dynamodb:PutItem", TABLE),
    responder("reads no other table", NOT_ALLOWED, "dynamodb:Scan", f"{TABLE}-2"),
    responder("invokes no other function", NOT_ALLOWED, INVOKE, f"{FUNCTION}-2"),
    responder("changes no revoker", NOT_ALLOWED, "lambda:UpdateFunctionCode", FUNCTION),
    responder("sends no report", DENIED, "events:PutEvents", BUS, "bus"),
)


def sweep(title: str, who: str, verdict: str, **source: str) -> Trial:
    """Of a rule that invokes a function its ARN comes along, no aws:SourceAccount (EventBridge User
    Guide, "Troubleshooting Amazon EventBridge")."""
    notifier = f"arn:aws:lambda:{HERE}:function:iam-org-revoker-notifier"
    keys = {"aws:SourceArn": source["rule"]} if source else {}
    return Trial(title, who, INVOKE, notifier, verdict, "notifier function", "nothing", keys)


SWEEP_TRIALS = (
    sweep("the sweep's rule", EVENTS, ALLOWED, rule=f"{RULE}/iam-org-revoker-sweep"),
    sweep("another rule", EVENTS, NOT_ALLOWED, rule=f"{RULE}/nightly"),
    sweep("EventBridge for no rule", EVENTS, NOT_ALLOWED),
    sweep("a principal without permissions", role("x"), NOT_ALLOWED),
)

CENTRAL_TRIALS = (
    *BUS_TRIALS,
    *QUEUE_TRIALS,
    *TOPIC_TRIALS,
    *KEY_TRIALS,
    *RESPONDER_TRIALS,
    *SWEEP_TRIALS,
)
