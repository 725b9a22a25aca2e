"""The product as plain stacks, without a StackSet: one account at a time, any parameters."""

from __future__ import annotations

from typing import Any

from sandbox.box import Box
from sandbox.core import patches
from sandbox.core.keys import REGION, Key
from sandbox.demo.deploy import deploy_stack
from sandbox.demo.product_setup import short_wait, uploaded

CENTRAL, MEMBER = "iam-org-revoker-central", "iam-org-revoker"


def deploy_central(box: Box, account: str, **parameters: str) -> dict[str, str]:
    """The central stack in an account; its outputs."""
    return _deploy(box, account, CENTRAL, "central", parameters)


def deploy_member(box: Box, account: str, *, region: str = REGION, **parameters: str) -> None:
    """The member stack in an account."""
    _deploy(box, account, MEMBER, "member", parameters, region=region)


def _deploy(
    box: Box,
    account: str,
    name: str,
    template: str,
    parameters: dict[str, str],
    *,
    region: str = REGION,
) -> dict[str, str]:
    return deploy_stack(
        box.client("cloudformation", account, region=region),
        name=name,
        template=uploaded(box, account, template),
        parameters=parameters,
        sleep=short_wait,
    )


def credentials_of(box: Box, account: str, function: str) -> Key:
    """The credentials that a function finds in its environment."""
    config: Any = box.client("lambda", account).get_function_configuration(FunctionName=function)
    given = patches.get("ministack.core.lambda_runtime", "execution_credentials")(config)
    return Key(
        given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"], given["AWS_SESSION_TOKEN"]
    )
