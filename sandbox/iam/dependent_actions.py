"""What AWS asks of a caller besides the action itself, where the emulator asks for one alone.

Some actions need others (Service Authorization Reference, "Dependent actions"), and CloudFormation
reads a template from S3 with the rights of whoever names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from sandbox.core import patches
from sandbox.core.calls import quiet
from sandbox.core.request_context import account_now, region_now
from sandbox.iam.resourceless import RESOURCELESS

ACTIONS = "ministack.core.iam_actions"
EVALUATOR = "ministack.core.iam_evaluator"
HELPERS = "ministack.services.cloudformation.helpers"

_LINKED = "arn:aws:iam::{account}:role/aws-service-role/stacksets.cloudformation.amazonaws.com/"
# Action -> the others, each with its resource; "" is that of the action itself.
DEPENDENT_ACTIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "cloudformation:ActivateOrganizationsAccess": (
        ("organizations:EnableAWSServiceAccess", "*"),
        (
            "iam:CreateServiceLinkedRole",
            f"{_LINKED}AWSServiceRoleForCloudFormationStackSetsOrgAdmin",
        ),
    ),
    "cloudformation:DetectStackDrift": (
        ("cloudformation:DetectStackResourceDrift", ""),
        ("cloudformation:BatchDescribeTypeConfigurations", "*"),
    ),
}
# What CloudFormation says of a template that the caller may not read.
NO_TEMPLATE = (
    "S3 error: Access Denied\nFor more information check "
    "http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
)

# Whose key the running request was signed with, and which action besides was refused to it.
_key: ContextVar[str] = ContextVar("dependent_action_key", default="")
_refused: ContextVar[str] = ContextVar("dependent_action_refused", default="")


def install() -> None:
    """Ask for them, until the hooks are restored. After the service control policies, which then
    bind these, too."""

    def enforce(
        key: str, action: str, service: str, region: str, resource_arn: str = "*", **more: Any
    ) -> Any:
        _key.set(key or "")
        _refused.set("")
        resource_arn = "*" if action in RESOURCELESS else resource_arn
        denied = original(key, action, service, region, resource_arn=resource_arn, **more)
        if denied or quiet.get():
            return denied
        for other, resource in DEPENDENT_ACTIONS.get(action, ()):
            named = resource.format(account=account_now()) or resource_arn
            if denied := original(key, other, service, region, resource_arn=named):
                _refused.set(other)
                return denied
        return None

    def denied_response(service: str, action: str, *names: Any, **more: Any) -> Any:
        return worded(service, _refused.get() or action, *names, **more)

    def document(
        params: Mapping[str, Any], body_key: str, url_key: str, label: str
    ) -> tuple[str | None, Any]:
        url = str(_one(params.get(url_key)))
        if url and not _one(params.get(body_key)) and not may_read(url):
            return None, patches.get(HELPERS, "_error")("ValidationError", NO_TEMPLATE)
        found: tuple[str | None, Any] = resolve(params, body_key, url_key, label)
        return found

    original = patches.replace(EVALUATOR, "enforce", enforce)
    worded = patches.replace(ACTIONS, "access_denied_response", denied_response)
    resolve = patches.replace(HELPERS, "_resolve_document", document)


def bucket_and_key(url: str) -> tuple[str, str]:
    """Virtual-hosted, path-style, and this sandbox's own endpoint are all understood."""
    parts = urlsplit(url)
    hosted = re.fullmatch(r"(.+)\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com", parts.hostname or "")
    path = parts.path.lstrip("/")
    bucket, _, key = path.partition("/")
    return (hosted[1], path) if hosted else (bucket, key)


def may_read(url: str) -> bool:
    """Whether the policies of whoever makes the running request let him read an object."""
    return not refused_dependent_action(
        "s3:GetObject", "arn:aws:s3:::" + "/".join(bucket_and_key(url))
    )


def refused_dependent_action(action: str, resource: str) -> str:
    """Why the caller of the running request may not do this besides; "" where that is allowed."""
    key = _key.get()
    if not key or quiet.get():
        return ""
    enforce, worded = (
        patches.get(EVALUATOR, "enforce"),
        patches.get(ACTIONS, "identity_denial_message"),
    )
    # For CloudFormation, not for another service: no resource's own policy is asked.
    denied = enforce(key, action, "cloudformation", region_now(), resource_arn=resource)
    if denied is None:
        return ""
    return str(worded(action, denied.principal_arn, resource, denied.decision == "Deny"))


def _one(value: Any) -> Any:
    return (value[0] if value else "") if isinstance(value, list) else value or ""
