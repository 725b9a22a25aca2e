"""The central account's alarms reach the team, whatever CloudWatch sends to the topic's key."""

from __future__ import annotations

from handler.model.names import HEALTH_TOPIC
from sandbox.core.keys import REGION
from sandbox.demo.product_setup import TEAM_ADDRESS, Stage


def test_each_alarm_of_the_central_account_is_mailed(stage: Stage) -> None:
    box = stage.box
    topic = f"arn:aws:sns:{REGION}:{box.security}:{HEALTH_TOPIC}"
    cloudwatch = box.client("cloudwatch", box.security)
    alarms = cloudwatch.describe_alarms(AlarmNamePrefix="iam-org-revoker")["MetricAlarms"]
    assert len(alarms) == 5
    for alarm in alarms:
        before = len(box.outbox.of(topic))
        for state in ("INSUFFICIENT_DATA", "ALARM"):
            cloudwatch.set_alarm_state(
                AlarmName=alarm["AlarmName"], StateValue=state, StateReason="a test"
            )
        fresh = box.outbox.of(topic)[before:]
        assert [mail.address for mail in fresh] == [TEAM_ADDRESS]
        assert fresh[0].subject.startswith(f'ALARM: "{alarm["AlarmName"]}"')
        cloudwatch.set_alarm_state(
            AlarmName=alarm["AlarmName"], StateValue="INSUFFICIENT_DATA", StateReason="a test"
        )
