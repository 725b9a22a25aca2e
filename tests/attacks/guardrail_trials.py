"""A trial for each statement of the guardrail: a call that it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handler.model.names import (
    CALLS_RULE,
    DENY_GROUP,
    KEPT_GROUP,
    REVOKER,
    SESSION_DENY_GROUP,
    STATE_TABLE,
)
from sandbox.core.keys import Key
from sandbox.demo.rolling_out import TEMPLATES
from tests.attacks.guardrail_undo import (
    deny_again,
    first_version,
    first_version_of,
    iam,
    kept_again,
    kept_deny,
    no_role,
    other,
    queue,
    rule_on,
    switch_schedule,
)
from tests.attacks.play import Play, document, trust

GUARDRAIL = json.loads((TEMPLATES / "guardrail.json").read_text())
LOG_GROUP = f"/aws/lambda/{REVOKER}"


@dataclass(frozen=True)
class Trial:
    """A call that one statement refuses, and how the sandbox puts things right after it."""

    sid: str
    title: str
    call: Callable[[Play, Key], Any]
    undo: Callable[[Play], Any] = lambda play: None


TRIALS = (
    Trial(
        sid="DenyStaysOn",
        title="the deny detached from a user",
        call=lambda play, key: iam(play, key).detach_user_policy(
            UserName=play["victim"], PolicyArn=play.deny
        ),
        undo=deny_again,
    ),
    Trial(
        sid="DenyStaysOn",
        title="the deny detached from a role",
        call=lambda play, key: iam(play, key).detach_role_policy(
            RoleName=play["denied"], PolicyArn=play.deny
        ),
        undo=deny_again,
    ),
    Trial(
        sid="DenyStaysOn",
        title="the deny put on an administrator",
        call=lambda play, key: iam(play, key).attach_user_policy(
            UserName="alice", PolicyArn=play.deny
        ),
        undo=lambda play: play.quiet.detach_user_policy(UserName="alice", PolicyArn=play.deny),
    ),
    Trial(
        sid="DenyStaysOn",
        title="the deny of sessions put on an administrator",
        call=lambda play, key: iam(play, key).attach_user_policy(
            UserName="alice", PolicyArn=play.session_deny
        ),
        undo=lambda play: play.quiet.detach_user_policy(
            UserName="alice", PolicyArn=play.session_deny
        ),
    ),
    Trial(
        sid="DenyStaysOn",
        title="a kept deny detached from a user",
        call=lambda play, key: iam(play, key).detach_user_policy(
            UserName=play["victim"], PolicyArn=kept_deny(play)
        ),
        undo=kept_again,
    ),
    Trial(
        sid="DenyStaysOn",
        title="a kept deny put on an administrator",
        call=lambda play, key: iam(play, key).attach_user_policy(
            UserName="alice", PolicyArn=kept_deny(play)
        ),
        undo=lambda play: play.quiet.detach_user_policy(
            UserName="alice", PolicyArn=kept_deny(play)
        ),
    ),
    Trial(
        sid="BoundaryStaysOn",
        title="our boundary deleted from a role",
        call=lambda play, key: iam(play, key).delete_role_permissions_boundary(
            RoleName=play["bounded"]
        ),
        undo=lambda play: play.quiet.put_role_permissions_boundary(
            RoleName=play["bounded"], PermissionsBoundary=play.deny
        ),
    ),
    Trial(
        sid="BoundaryStaysOn",
        title="the deny put on an administrator as her boundary",
        call=lambda play, key: iam(play, key).put_user_permissions_boundary(
            UserName="alice", PermissionsBoundary=play.deny
        ),
        undo=lambda play: play.quiet.delete_user_permissions_boundary(UserName="alice"),
    ),
    Trial(
        sid="BoundaryStaysOn",
        title="a kept boundary deleted from a role",
        call=lambda play, key: iam(play, key).delete_role_permissions_boundary(
            RoleName=play["kept"]
        ),
        undo=kept_again,
    ),
    Trial(
        sid="DenyStaysTrue",
        title="the deny rewritten",
        call=lambda play, key: iam(play, key).create_policy_version(
            PolicyArn=play.deny, PolicyDocument=document("*"), SetAsDefault=True
        ),
        undo=first_version,
    ),
    Trial(
        sid="DenyStaysTrue",
        title="a member taken out of the deny group",
        call=lambda play, key: iam(play, key).remove_user_from_group(
            UserName=play["victim"], GroupName=DENY_GROUP
        ),
        undo=deny_again,
    ),
    Trial(
        sid="DenyStaysTrue",
        title="a member taken out of the group of denied sessions",
        call=lambda play, key: iam(play, key).remove_user_from_group(
            UserName=play["victim"], GroupName=SESSION_DENY_GROUP
        ),
        undo=deny_again,
    ),
    Trial(
        sid="DenyStaysTrue",
        title="a policy that allows put on the deny group",
        call=lambda play, key: iam(play, key).put_group_policy(
            GroupName=DENY_GROUP, PolicyName="more", PolicyDocument=document("*")
        ),
        undo=lambda play: play.quiet.delete_group_policy(GroupName=DENY_GROUP, PolicyName="more"),
    ),
    Trial(
        sid="DenyStaysTrue",
        title="a kept deny rewritten",
        call=lambda play, key: iam(play, key).create_policy_version(
            PolicyArn=kept_deny(play), PolicyDocument=document("*"), SetAsDefault=True
        ),
        undo=lambda play: first_version_of(play, kept_deny(play)),
    ),
    Trial(
        sid="DenyStaysTrue",
        title="a member taken out of the kept group",
        call=lambda play, key: iam(play, key).remove_user_from_group(
            UserName=play["victim"], GroupName=KEPT_GROUP
        ),
        undo=kept_again,
    ),
    Trial(
        sid="ExemptNamesStayTrue",
        title="a role under the rollout's name",
        call=lambda play, key: iam(play, key).create_role(
            RoleName="stacksets-exec-evil", AssumeRolePolicyDocument=trust(play.account)
        ),
        undo=no_role("stacksets-exec-evil"),
    ),
    Trial(
        sid="ExemptNamesStayTrue",
        title="a role among the administrators'",
        call=lambda play, key: iam(play, key).create_role(
            RoleName="evil",
            Path="/iam-administrators/",
            AssumeRolePolicyDocument=trust(play.account),
        ),
        undo=no_role("evil"),
    ),
    Trial(
        sid="ExemptNamesStayTrue",
        title="the break-glass role forged",
        call=lambda play, key: iam(play, key).create_role(
            RoleName="break-glass-evil",
            Path="/iam-administrators/",
            AssumeRolePolicyDocument=trust(play.account),
        ),
        undo=no_role("break-glass-evil"),
    ),
    Trial(
        sid="ExemptNamesStayTrue",
        title="a role of the revoker's path",
        call=lambda play, key: iam(play, key).create_role(
            RoleName="evil",
            Path="/iam-org-revoker/",
            AssumeRolePolicyDocument=trust(play.account),
        ),
        undo=no_role("evil"),
    ),
    Trial(
        sid="ExemptNamesStayTrue",
        title="Control Tower's role opened",
        call=lambda play, key: iam(play, key).update_assume_role_policy(
            RoleName="AWSControlTowerExecution", PolicyDocument=trust("*")
        ),
    ),
    Trial(
        sid="ExemptNamesStayTrue",
        title="an administrator's role strengthened",
        call=lambda play, key: iam(play, key).put_role_policy(
            RoleName="chief", PolicyName="more", PolicyDocument=document("*")
        ),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the function changed",
        call=lambda play, key: other("lambda")(play, key).update_function_configuration(
            FunctionName=REVOKER, Timeout=3
        ),
        undo=lambda play: play.box.client("lambda", play.account).update_function_configuration(
            FunctionName=REVOKER, Timeout=120
        ),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the function throttled to nothing",
        call=lambda play, key: other("lambda")(play, key).put_function_concurrency(
            FunctionName=REVOKER, ReservedConcurrentExecutions=0
        ),
        undo=lambda play: play.box.client("lambda", play.account).delete_function_concurrency(
            FunctionName=REVOKER
        ),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the function fed with a made-up event",
        call=lambda play, key: other("lambda")(play, key).invoke(
            FunctionName=REVOKER, Payload=json.dumps({"responder": "list"})
        ),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the rule disabled",
        call=lambda play, key: other("events")(play, key).disable_rule(Name=CALLS_RULE),
        undo=rule_on,
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="reconciliation's schedule switched off",
        call=lambda play, key: switch_schedule(other("scheduler")(play, key), "DISABLED"),
        undo=lambda play: switch_schedule(play.box.client("scheduler", play.account), "ENABLED"),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the dead letters purged",
        call=lambda play, key: other("sqs")(play, key).purge_queue(QueueUrl=queue(play)),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the log shortened",
        call=lambda play, key: other("logs")(play, key).put_retention_policy(
            logGroupName=LOG_GROUP, retentionInDays=1
        ),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the state table backed up as AWS Backup does",
        call=lambda play, key: other("dynamodb")(play, key).create_backup(
            TableName=STATE_TABLE, BackupName="nightly"
        ),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the dead letters tagged as everything is",
        call=lambda play, key: other("sqs")(play, key).tag_queue(
            QueueUrl=queue(play), Tags={"cost-central account": "42"}
        ),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the log sent on as every log is",
        call=lambda play, key: other("logs")(play, key).put_subscription_filter(
            logGroupName=LOG_GROUP,
            filterName="everything",
            filterPattern="",
            destinationArn=f"arn:aws:logs:us-east-1:{play.account}:destination:archive",
        ),
        undo=lambda play: play.box.client("logs", play.account).delete_subscription_filter(
            logGroupName=LOG_GROUP, filterName="everything"
        ),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the state table made deletable",
        call=lambda play, key: other("dynamodb")(play, key).update_table(
            TableName=STATE_TABLE, DeletionProtectionEnabled=False
        ),
    ),
)
