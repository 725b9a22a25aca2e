"""CloudTrail trails: made by templates, and refused where CloudTrail could not write.

Trails are stored only: the sandbox's records reach the buses whether there is a trail or not,
until `state.trails_needed` says otherwise (trail_copies.py).
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.core import patches
from sandbox.core.request_context import account_now, region_now

Props = dict[str, Any]
Made = tuple[str, dict[str, Any]]
Answer = tuple[int, dict[str, str], bytes]

CLOUDTRAIL = "ministack.services.cloudtrail"
EVALUATOR = "ministack.core.iam_evaluator"
SERVICE = "cloudtrail.amazonaws.com"
PASSED_ON = (
    "S3BucketName",
    "S3KeyPrefix",
    "SnsTopicName",
    "IncludeGlobalServiceEvents",
    "IsMultiRegionTrail",
    "EnableLogFileValidation",
    "CloudWatchLogsLogGroupArn",
    "CloudWatchLogsRoleArn",
    "IsOrganizationTrail",
)


class TrailRefused(ValueError):
    """CloudTrail said no; the text is what a stack event shows."""


def install_trail_checks() -> None:
    """Let CreateTrail and UpdateTrail refuse a bucket that CloudTrail may not write to, as AWS
    does (CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail"), until
    `hooks.restore`."""
    for action in ("CreateTrail", "UpdateTrail"):
        plain = patches.get(CLOUDTRAIL, "_DISPATCH")[action]
        patches.replace_entry(CLOUDTRAIL, "_DISPATCH", action, _checked(plain))


def trail_handlers() -> dict[str, dict[str, Any]]:
    """The handlers of AWS::CloudTrail::Trail, as the emulator's table has them."""
    made_up_name = patches.get("ministack.services.cloudformation.provisioners", "_physical_name")

    def create(logical_id: str, props: Props, stack: str) -> Made:
        name = props.get("TrailName") or made_up_name(stack, logical_id, max_len=128)
        made = _ask("CreateTrail", {"Name": name, **_request(props)})
        # The emulator's CreateTrail leaves the log group out, its UpdateTrail does not.
        _ask("UpdateTrail", {"Name": name, **_request(props)})
        _settle(name, props)
        return name, {"Arn": made["TrailARN"]}

    def update(made: str, old: Props, new: Props, stack: str, logical_id: str = "") -> Made:
        if new.get("TrailName") != old.get("TrailName"):
            return create(logical_id, new, stack)
        updated = _ask("UpdateTrail", {"Name": made, **_request(new)})
        _settle(made, new)
        return made, {"Arn": updated["TrailARN"]}

    def delete(made: str, _props: Props) -> None:
        try:
            _ask("DeleteTrail", {"Name": made})
        except TrailRefused as refusal:
            if "TrailNotFoundException" not in str(refusal):
                raise

    own = {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}
    return {"AWS::CloudTrail::Trail": own}


def _settle(name: str, props: Props) -> None:
    selectors: Props = {
        key: props[key] for key in ("EventSelectors", "AdvancedEventSelectors") if key in props
    }
    if selectors:
        _ask("PutEventSelectors", {"TrailName": name, **selectors})
    logging = _truth(props["IsLogging"]) is True
    _ask("StartLogging" if logging else "StopLogging", {"Name": name})


def _request(props: Props) -> Props:
    given = {key: props[key] for key in PASSED_ON if key in props}
    given = {
        key: value == "true" if value in ("true", "false") else value
        for key, value in given.items()
    }
    if "KMSKeyId" in props:
        given["KmsKeyId"] = props["KMSKeyId"]
    return given


def _truth(value: Any) -> Any:
    """Template booleans may arrive as text."""
    return value == "true" if value in ("true", "false") else value


def _ask(action: str, request: Props) -> Props:
    status, _, body = patches.get(CLOUDTRAIL, "_DISPATCH")[action](request)
    answer: Props = json.loads(body)
    if status >= 300:
        kind = answer.get("__type", "")
        raise TrailRefused(f"{answer.get('message', '')} ({kind}; Service: CloudTrail)")
    return answer


def _checked(plain: Any) -> Any:
    def answer(request: Props) -> Answer:
        bucket = request.get("S3BucketName")
        problem = _bucket_problem(bucket, request) if bucket else None
        problem = problem or _log_group_problem(request)
        if problem:
            code, message = problem
            body = json.dumps({"__type": code, "message": message}).encode()
            return 400, {"Content-Type": "application/x-amz-json-1.1"}, body
        answered: Answer = plain(request)
        return answered

    return answer


def _bucket_problem(bucket: str, request: Props) -> tuple[str, str] | None:
    owner = patches.get("ministack.services.s3", "_bucket_owner_account")(bucket)
    if owner is None:
        return "S3BucketDoesNotExistException", f"S3 bucket {bucket} does not exist!"
    policies = patches.get("ministack.services.s3", "_bucket_policies")
    policy = policies.get_scoped(owner, None, bucket)
    trail = request["Name"].rpartition("/")[2]
    prefix = f"{request['S3KeyPrefix']}/" if request.get("S3KeyPrefix") else ""
    logs = f"arn:aws:s3:::{bucket}/{prefix}AWSLogs/{account_now()}/CloudTrail/log"
    wanted = [("s3:GetBucketAcl", f"arn:aws:s3:::{bucket}"), ("s3:PutObject", logs)]
    if request.get("IsOrganizationTrail"):
        # The members' logs (CloudTrail User Guide, "Creating a trail for an organization").
        organization = patches.get("ministack.services.organizations", "_orgs")["self"]["Id"]
        wanted.append(("s3:PutObject", logs.replace("AWSLogs/", f"AWSLogs/{organization}/")))
    if all(_lets_in(policy, action, resource, trail=trail) for action, resource in wanted):
        return None
    code = "InsufficientS3BucketPolicyException"
    return code, f"Incorrect S3 bucket policy is detected for bucket: {bucket}"


def _lets_in(policy: str | None, action: str, resource: str, *, trail: str) -> bool:
    if not policy:
        return False
    account, region = account_now(), region_now()
    acl = {"s3:x-amz-acl": "bucket-owner-full-control"} if action == "s3:PutObject" else {}
    context = patches.get(EVALUATOR, "EvalContext")(
        principal_arn="",
        principal_type="AWSService",
        principal_account="",
        action=action,
        resource_arn=resource,
        region=region,
        service_context={
            "aws:sourcearn": f"arn:aws:cloudtrail:{region}:{account}:trail/{trail}",
            "aws:sourceaccount": account,
            **acl,
        },
    )
    judge = patches.get(EVALUATOR, "evaluate_resource_policy")
    return bool(judge(policy, context, SERVICE).decision == "Allow")


def _log_group_problem(request: Props) -> tuple[str, str] | None:
    group = request.get("CloudWatchLogsLogGroupArn")
    if not group:
        return None
    if not str(group).endswith(":*"):
        code = "InvalidCloudWatchLogsLogGroupArnException"
        return code, "The log group ARN must end with :*"
    if not request.get("CloudWatchLogsRoleArn"):
        code = "InvalidCloudWatchLogsRoleArnException"
        return code, "You must specify a role ARN as well as a log group."
    return None
