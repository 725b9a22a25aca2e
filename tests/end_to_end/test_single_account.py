"""One account without an Organization holds both stacks: the same code, no special case."""

from __future__ import annotations

import pytest

from handler.model.names import REVOKER
from sandbox.demo.product_setup import TEAM_ADDRESS, Stage, is_denied
from tests.end_to_end.coverage import put_report, report
from tests.end_to_end.rollout import deploy_central, deploy_member

ALONE = "666677778888"
WITH_A_TOPIC = "666677779999"


def test_a_rogue_users_call_is_denied_and_mailed(stage: Stage) -> None:
    box = stage.box
    assert box.state.organization_of(ALONE) is None
    central = deploy_central(box, ALONE, OrganizationId="", Email=TEAM_ADDRESS)
    deploy_member(
        box, ALONE, CentralBusArn=central["BusArn"], Mode="enforce", MissingGroup="treat-as-empty"
    )
    alice = box.new_user(ALONE, "alice", "iam:*", groups=("Administrators",))
    mallory = box.new_user(ALONE, "mallory", "iam:*", "events:PutEvents")
    box.client("iam", ALONE, key=alice).create_user(UserName="colleague")
    box.client("iam", ALONE, key=mallory).create_user(UserName="accomplice")
    box.settle()
    assert [mail.subject for mail in box.outbox.of(central["TopicArn"])] == [
        f"[IAM revoked] {ALONE} user mallory: CreateUser"
    ]
    assert is_denied(box.client("iam", ALONE, key=mallory).list_users)
    assert not is_denied(box.client("iam", ALONE, key=alice).list_users)
    # In one account an Allow keeps nobody out: the bus denies whoever is not the revoker.
    forged = put_report(box, mallory, central["BusArn"], report(ALONE, "event-1"))
    assert forged == "AccessDeniedException"
    box.cool_down(ALONE)


def test_mails_go_to_a_topic_that_is_there_already(stage: Stage) -> None:
    box = stage.box
    sns = box.client("sns", WITH_A_TOPIC)
    topic = sns.create_topic(Name="duty")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="duty@example.com")
    central = deploy_central(box, WITH_A_TOPIC, SNSTopicArn=topic)
    assert central["TopicArn"] == topic
    made = [one["TopicArn"].rpartition(":")[2] for one in sns.list_topics()["Topics"]]
    assert sorted(made) == ["duty", "iam-org-revoker-health"]
    deploy_member(
        box,
        WITH_A_TOPIC,
        CentralBusArn=central["BusArn"],
        Mode="enforce",
        MissingGroup="treat-as-empty",
    )
    key = box.new_session(WITH_A_TOPIC, "deploy", "iam:*", path="/teams/")
    box.client("iam", WITH_A_TOPIC, key=key).create_user(UserName="accomplice")
    box.settle()
    (mail,) = box.outbox.of(topic)
    assert mail.subject == f"[IAM revoked] {WITH_A_TOPIC} role deploy: CreateUser"
    assert mail.address == "duty@example.com"
    box.cool_down(WITH_A_TOPIC)


@pytest.mark.parametrize(
    "account", [pytest.param("666677770000", id="another account that stands alone")]
)
def test_a_central_account_without_an_organization_takes_no_report_of_another_account(
    stage: Stage, account: str
) -> None:
    box = stage.box
    bus = f"arn:aws:events:us-east-1:{ALONE}:event-bus/iam-org-revoker"
    key = box.new_session(account, REVOKER, "events:PutEvents", path="/iam-org-revoker/")
    assert put_report(box, key, bus, report(account, "event-1")) == "AccessDeniedException"
