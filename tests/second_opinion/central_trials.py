"""Trials of the central stack: its queues, topics, key and function, and the responder role."""

from __future__ import annotations

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
from tests.second_opinion.trials import (
    ADMINISTRATOR,
    CLOUDWATCH,
    EVENTS,
    INVOKE,
    OTHER_ADMINISTRATOR,
    OTHER_MEMBER,
    OTHER_REVOKER,
    RESPONDER,
    STRANGER,
    Trial,
    our_role,
    role,
)

QUEUE = f"arn:aws:sqs:{HERE}:iam-org-revoker-reports"
LETTERS = f"{QUEUE}-dead-letters"
TABLE = f"arn:aws:dynamodb:{HERE}:table/iam-org-revoker-incidents"
FUNCTION = f"arn:aws:lambda:us-east-1:{OTHER_MEMBER}:function:iam-org-revoker"


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
    topic("another role", our_role("-evil"), NOT_ALLOWED, identity="nothing"),
    topic("an administrator of a member", OTHER_ADMINISTRATOR, NOT_ALLOWED),
    topic("a notifier of another account", our_role("-notifier", OTHER_MEMBER), NOT_ALLOWED),
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
    key("an alarm, for a data key", CLOUDWATCH, ALLOWED, "GenerateDataKey"),
    key("CloudWatch deletes it", CLOUDWATCH, NOT_ALLOWED, "ScheduleKeyDeletion"),
    key("another service", EVENTS, NOT_ALLOWED),
    key("the notifier", NOTIFIER, ALLOWED, identity="Notifier"),
    key("the notifier, for a data key", NOTIFIER, ALLOWED, "GenerateDataKey", identity="Notifier"),
    key("the notifier encrypts", NOTIFIER, NOT_ALLOWED, "Encrypt", identity="Notifier"),
    key(
        "the notifier deletes it", NOTIFIER, NOT_ALLOWED, "ScheduleKeyDeletion", identity="Notifier"
    ),
    key("the account's administrator deletes it", ADMINISTRATOR, ALLOWED, "ScheduleKeyDeletion"),
    key("a principal without permissions", role("x"), NOT_ALLOWED, identity="nothing"),
    key("an administrator of a member", OTHER_ADMINISTRATOR, NOT_ALLOWED),
)


def responder(title: str, verdict: str, action: str, resource: str, policy: str = "") -> Trial:
    return Trial(title, RESPONDER, action, resource, verdict, policy, "Responder")


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
    *QUEUE_TRIALS,
    *TOPIC_TRIALS,
    *KEY_TRIALS,
    *RESPONDER_TRIALS,
    *SWEEP_TRIALS,
)
