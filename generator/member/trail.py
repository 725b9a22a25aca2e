"""A trail of the account's own, to S3 and a log group, for those who have none. Off by default."""

from __future__ import annotations

from troposphere import GetAtt, Ref, Template, cloudtrail, iam, logs

from generator.member.resource_policies import TRAIL_ALWAYS
from generator.policy.arns import TRAIL_LOG_GROUP
from generator.policy.intrinsics import filled
from generator.policy.statements import document, trust
from handler.model.names import IAM_PATH, TRAIL

WITH_TRAIL = "WithTrail"


def add_trail(template: Template) -> None:
    """Add log group, role and trail, all under one condition: when it is made, it is complete."""
    template.add_resource(
        logs.LogGroup(
            "TrailLog",
            Condition=WITH_TRAIL,
            LogGroupName=TRAIL_LOG_GROUP,
            RetentionInDays=Ref("LogRetentionDays"),
        )
    )
    template.add_resource(
        iam.Role(
            "TrailRole",
            Condition=WITH_TRAIL,
            RoleName=f"{TRAIL}-trail",
            Path=IAM_PATH,
            Description="CloudTrail writes this account's trail to its log group.",
            AssumeRolePolicyDocument=trust("cloudtrail.amazonaws.com", sid="CloudTrailWritesLogs"),
            Policies=[
                iam.Policy(PolicyName="write-log", PolicyDocument=filled(document(TRAIL_ALWAYS)))
            ],
        )
    )
    template.add_resource(
        cloudtrail.Trail(
            "Trail",
            Condition=WITH_TRAIL,
            TrailName=TRAIL,
            IsLogging=True,
            S3BucketName=Ref("TrailDestS3BucketName"),
            CloudWatchLogsLogGroupArn=GetAtt("TrailLog", "Arn"),
            CloudWatchLogsRoleArn=GetAtt("TrailRole", "Arn"),
            IncludeGlobalServiceEvents=True,
            IsMultiRegionTrail=Ref("TrailMultiRegion"),
            EnableLogFileValidation=True,
            EventSelectors=[
                cloudtrail.EventSelector(
                    ReadWriteType=Ref("TrailReadWrite"), IncludeManagementEvents=True
                )
            ],
        )
    )
