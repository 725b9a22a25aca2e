"""Alarms reach a topic as CloudWatch does: by the topic's own policy, and by its key's.

What is refused does not arrive, and only the alarm's history shows it (SNS Developer Guide,
"Managing Amazon SNS encryption keys and costs").
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox.cloudformation.provisioners import MODULE, TABLE, Props
from sandbox.core import patches, service_client
from sandbox.core.service_client import Arn
from sandbox.core.state import State

CLOUDWATCH = "ministack.services.cloudwatch"
SERVICE = "cloudwatch.amazonaws.com"
ACTIONS = {
    "ALARM": "AlarmActions",
    "OK": "OKActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}
# SNS asks both of a publisher to an encrypted topic.
USE_KEY = ("kms:GenerateDataKey", "kms:Decrypt")


def install_alarms(state: State) -> None:
    """Judge each action of an alarm, and keep the key that a template gives a topic."""

    def dispatch(alarm: dict[str, Any], before: str, now: str, reason: str) -> None:
        topics = alarm.get(ACTIONS[now]) or []
        heard = [topic for topic in topics if _may_publish(state, alarm, topic)]
        original({**alarm, ACTIONS[now]: heard}, before, now, reason)
        for topic in topics:
            _write_down(alarm, topic, done=topic in heard)

    original = patches.replace(CLOUDWATCH, "_dispatch_alarm_actions", dispatch)
    plain = patches.get(MODULE, TABLE)["AWS::SNS::Topic"]

    def create(logical_id: str, props: Props, stack: str) -> Any:
        made = plain["create"](logical_id, props, stack)
        _encrypt(made[0], props)
        return made

    def update(made: str, old: Props, new: Props, *more: Any) -> Any:
        updated = plain["update"](made, old, new, *more)
        _encrypt(updated[0], new)
        return updated

    handlers = {**plain, "create": create, "update": update}
    patches.replace_entry(MODULE, TABLE, "AWS::SNS::Topic", handlers)


def _may_publish(state: State, alarm: dict[str, Any], topic_arn: str) -> bool:
    topic = _topic(topic_arn)
    if topic is None:
        return False
    # Both keys: CloudWatch User Guide, "Notifying users on alarm changes".
    account = Arn.parse(alarm["AlarmArn"]).account
    source = {"arn": alarm["AlarmArn"], "account": account}
    policy = topic["attributes"].get("Policy")
    if not service_client.service_may(policy, SERVICE, "sns:Publish", topic_arn, **source):
        return False
    if not (named := topic["attributes"].get("KmsMasterKeyId")):
        return True
    owner = Arn.parse(topic_arn)
    with service_client.scope(owner.account, owner.region):
        key = patches.get("ministack.services.kms", "_resolve_key")(named)
    sent = {"account": account} if state.unknowns.alarms_send_source_account else {}
    return key is not None and all(
        service_client.service_may(key["Policy"], SERVICE, action, key["Arn"], **sent)
        for action in USE_KEY
    )


def _write_down(alarm: dict[str, Any], topic_arn: str, *, done: bool) -> None:
    """An item of the alarm's history. A failed one begins with these words (re:Post, "Why didn't I
    receive an SNS notification for my CloudWatch alarm trigger?"); of the others no page tells."""
    said = "Successfully executed" if done else "Failed to execute"
    patches.get(CLOUDWATCH, "_history_entries")().append(
        {
            "AlarmName": alarm["AlarmName"],
            "AlarmType": "MetricAlarm",
            "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "HistoryItemType": "Action",
            "HistorySummary": f"{said} action {topic_arn}",
            "HistoryData": "{}",
        }
    )


def _encrypt(topic_arn: str, props: Props) -> None:
    """Keep the key, which the emulator's handler leaves out."""
    topic = _topic(topic_arn) or {"attributes": {}}
    topic["attributes"].pop("KmsMasterKeyId", None)
    if key := props.get("KmsMasterKeyId"):
        topic["attributes"]["KmsMasterKeyId"] = key


def _topic(arn: str) -> Any:
    return patches.get("ministack.services.sns", "_topic_by_arn_any_scope")(arn)
