"""The line to the revokers of other accounts: credentials, proof, invocation. Prints nothing.

The responder has no role in the member accounts: it asks each account's revoker, which lets in one
role of the central account and proves it by STS.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from handler.model.caller_proof import (
    DIGEST_HEADER,
    PROOF_HEADERS,
    QUESTION,
    QUESTION_TYPE,
    request_digest,
    sts_url,
)
from handler.model.cloudtrail import arn_field
from handler.model.names import INCIDENT_TABLE, RESPONDER_ROLE, REVOKER, iam_arn

# Where IAM's events appear and the revokers therefore run, by partition.
REGIONS = {
    "aws": "us-east-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-cn": "cn-north-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-eusc": "eusc-de-east-1",
}
# A release looks through the account's users where a name moved: slower than a call, never minutes.
CONFIG = Config(read_timeout=120, retries={"mode": "standard", "max_attempts": 3})
AT_ONCE = 8


class ResponderFailure(Exception):
    """What could not be asked, as one sentence."""


@dataclass(frozen=True)
class Responder:
    """Credentials of the responder role; `region` is the revokers', `home` the central stack's."""

    session: Any
    partition: str
    region: str
    home: str
    endpoint_url: str | None

    def client(self, service: str, region: str) -> Any:
        return self.session.client(
            service, region_name=region, endpoint_url=self.endpoint_url, config=CONFIG
        )


def open_client(
    *, profile: str | None, region: str | None, home: str | None, endpoint_url: str | None
) -> Responder:
    """The responder, by these credentials; they are the responder role already, or may assume it.

    Raises DeskFailure where they are neither.
    """
    try:
        session = boto3.Session(profile_name=profile)
        first = home or session.region_name or region or "us-east-1"
        sts = session.client("sts", region_name=first, endpoint_url=endpoint_url, config=CONFIG)
        caller = sts.get_caller_identity()["Arn"]
        partition, account = arn_field(caller, 1), arn_field(caller, 4)
        if f":assumed-role/{RESPONDER_ROLE}/" not in caller:
            session = _assumed(sts, caller, partition, account)
    except (BotoCoreError, ClientError) as error:
        raise ResponderFailure(f"The responder cannot sign in: {_sentence(error)}") from error
    return Responder(
        session=session,
        partition=partition,
        region=region or REGIONS.get(partition, first),
        home=first,
        endpoint_url=endpoint_url,
    )


def ask_revoker(responder: Responder, account: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of one account's revoker; raises DeskFailure where there is none."""
    function = f"arn:{responder.partition}:lambda:{responder.region}:{account}:function:{REVOKER}"
    payload = {**request, "proof": _proof(responder, account, request)}
    try:
        answered = responder.client("lambda", responder.region).invoke(
            FunctionName=function, Payload=json.dumps(payload)
        )
        body = json.loads(answered["Payload"].read())
    except ClientError as error:
        raise ResponderFailure(_why_not(error, account, responder.region)) from error
    except (BotoCoreError, ValueError) as error:
        raise ResponderFailure(f"Account {account} did not answer: {error}") from error
    if "FunctionError" in answered:
        said = body.get("errorMessage", "") if isinstance(body, dict) else ""
        raise ResponderFailure(
            f"The revoker of {account} failed: {said or answered['FunctionError']}"
        )
    if not isinstance(body, dict):
        raise ResponderFailure(f"The revoker of {account} answered something else than expected.")
    if "action" in body:
        # An older version takes our request for an event that it cannot read.
        raise ResponderFailure(
            f"The revoker of {account} is too old for the responder: upgrade it."
        )
    return body


def ask_revokers(
    responder: Responder, accounts: Iterable[str], request: Mapping[str, Any]
) -> list[tuple[str, dict[str, Any] | ResponderFailure]]:
    """The answers of many accounts, some at a time, in order; a failure stands for itself."""

    def ask(account: str) -> tuple[str, dict[str, Any] | ResponderFailure]:
        try:
            return account, ask_revoker(responder, account, request)
        except ResponderFailure as failure:
            return account, failure

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return list(pool.map(ask, accounts))


def accounts_reported_of(responder: Responder) -> list[str]:
    """Every account of which the central table holds an incident; raises DeskFailure."""
    pages = responder.client("dynamodb", responder.home).get_paginator("scan")
    found = set()
    try:
        for page in pages.paginate(
            TableName=INCIDENT_TABLE,
            ProjectionExpression="pk",
            FilterExpression="begins_with(pk, :prefix)",
            ExpressionAttributeValues={":prefix": {"S": "incident#"}},
        ):
            found |= {item["pk"]["S"].split("#")[1] for item in page["Items"]}
    except (BotoCoreError, ClientError) as error:
        raise ResponderFailure(
            f"The central incident table cannot be read: {_sentence(error)}"
        ) from error
    return sorted(account for account in found if re.fullmatch("[0-9]{12}", account))


def _assumed(sts: Any, caller: str, partition: str, account: str) -> Any:
    """A session of the responder role whose name says who sits there."""
    role = iam_arn(partition=partition, account=account, kind="role", name=RESPONDER_ROLE)
    who = re.sub(r"[^\w+=,.@-]", "-", caller.rsplit("/", 1)[-1].rsplit(":", 1)[-1])[:64]
    given = sts.assume_role(RoleArn=role, RoleSessionName=who)["Credentials"]
    return boto3.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def _proof(responder: Responder, account: str, request: Mapping[str, Any]) -> dict[str, str]:
    """The headers of a question to STS, signed over this request to this account."""
    url = sts_url(responder.client("events", responder.region).meta.endpoint_url)
    headers = {
        "Content-Type": QUESTION_TYPE,
        DIGEST_HEADER: request_digest(request, account=account),
    }
    question = AWSRequest("POST", url, data=QUESTION.encode(), headers=headers)
    credentials = responder.session.get_credentials().get_frozen_credentials()
    SigV4Auth(credentials, "sts", responder.region).add_auth(question)
    return {name: question.headers[name] for name in PROOF_HEADERS if name in question.headers}


def _why_not(error: ClientError, account: str, region: str) -> str:
    match error.response["Error"]["Code"]:
        case "ResourceNotFoundException":
            return (
                f"Account {account} has no revoker in {region}: it is unknown, or the rollout "
                "has not reached it."
            )
        case "AccessDeniedException":
            return (
                f"The responder may not ask the revoker of {account}: the account is unknown, not "
                "of "
                "this Organization, or its stack lets in another responder."
            )
    return f"Account {account} could not be asked: {_sentence(error)}"


def _sentence(error: Exception) -> str:
    if isinstance(error, ClientError):
        details = error.response["Error"]
        return f"{details.get('Code')}: {details.get('Message', 'no message')}"
    return str(error)
