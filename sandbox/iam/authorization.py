"""What the emulator's evaluator lacks: condition keys, ARNs with paths, foreign resources.

The decision stays the evaluator's; here it only learns more about the request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import cbor2

from sandbox.core import patches
from sandbox.core.calls import service_model
from sandbox.core.identities import role_of_session
from sandbox.core.service_client import Arn
from sandbox.core.state import State

ACTIONS = "ministack.core.iam_actions"
EVALUATOR = "ministack.core.iam_evaluator"
IAM = "ministack.services.iam"
LAMBDA = "ministack.core.lambda_runtime"

MEMBERSHIP = frozenset({"AddUserToGroup", "RemoveUserFromGroup"})
CONCURRENCY = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}
# Parameters that are the resource, or that name it (Service Authorization Reference, IAM).
ARNS = ("OpenIDConnectProviderArn", "SAMLProviderArn")
NAMED_KINDS = (
    ("InstanceProfileName", "instance-profile"),
    ("ServerCertificateName", "server-certificate"),
    ("VirtualMFADeviceName", "mfa"),
)
# The actions that carry a key (the same Reference). iam:PermissionsBoundary means the boundary
# asked for, or else the one that is there already.
ABOUT_POLICY = re.compile("(Attach|Detach)(Group|Role|User)Policy")
ABOUT_BOUNDARY = re.compile(
    "(Create|Delete|Get|Update)Role|CreateUser|UpdateRoleDescription|UpdateAssumeRolePolicy"
    "|(Attach|Detach|Put|Delete)(Role|User)Policy|(Put|Delete)(Role|User)PermissionsBoundary"
)
KINDS = (("RoleName", "role", "_roles"), ("UserName", "user", "_users"))


def install(state: State) -> None:
    """Teach the evaluator, until the hooks are restored."""
    _name_actions()
    _name_resources()
    _describe_requests()
    _describe_principals(state)
    _reach_other_accounts()


def _name_actions() -> None:
    """Reading, setting and deleting a function's concurrency are three, not one."""

    def action(
        service: str, method: str, path: str, headers: Any, body: bytes, params: Mapping[str, Any]
    ) -> str | None:
        if service == "lambda" and path.endswith("/concurrency") and method in CONCURRENCY:
            return f"lambda:{CONCURRENCY[method]}FunctionConcurrency"
        named: str | None = original(service, method, path, headers, body, params)
        return named

    original = patches.replace(ACTIONS, "extract_iam_action", action)


def _name_resources() -> None:
    """Users, roles and groups by their ARN with its path; memberships by the group's ARN; sets."""

    def resource(
        service: str,
        method: str,
        path: str,
        headers: Any,
        body: bytes,
        params: Mapping[str, Any],
        region: str,
        account: str,
    ) -> str:
        if service == "iam" and (named := iam_resource(params, account)):
            return named
        if service == "cloudformation" and (name := _first(params, "StackSetName")):
            return f"arn:aws:cloudformation:{region}:{account}:stackset/{name}:*"
        if service == "sso":
            asked = _body(body)
            return str(asked.get("PermissionSetArn") or asked.get("InstanceArn") or "*")
        if service == "dynamodb" and (table := _body(body).get("ResourceArn")):
            return str(table)
        if service == "events" and (rule := _default_rule(_body(body), region, account)):
            return rule
        return str(original(service, method, path, headers, body, params, region, account))

    original = patches.replace(ACTIONS, "extract_resource_arn", resource)


def _default_rule(asked: Mapping[str, Any], region: str, account: str) -> str | None:
    """A rule of the default bus, whose ARN does not name the bus (EventBridge User Guide)."""
    name = asked.get("Name") or asked.get("Rule")
    if not isinstance(name, str) or asked.get("EventBusName", "default") != "default":
        return None
    return f"arn:aws:events:{region}:{account}:rule/{name}"


def iam_resource(params: Mapping[str, Any], account: str) -> str | None:
    """The ARN that an IAM call is about, None for `*`; parameters are the query protocol's."""
    action = _first(params, "Action")
    if arn := next((one for name in ARNS if (one := _first(params, name))), ""):
        return arn
    for name, kind in NAMED_KINDS:
        if value := _first(params, name):
            return f"arn:aws:iam::{account}:{kind}{_path(params, name, value)}{value}"
    if action == "CreateSAMLProvider":
        return f"arn:aws:iam::{account}:saml-provider/{_first(params, 'Name')}"
    group = ("GroupName", "group", "_groups")
    for name, kind, store in (group,) if action in MEMBERSHIP else (*KINDS, group):
        value = _first(params, name)
        if value:
            entity = patches.get(IAM, store).get_scoped(account, None, value)
            path = _first(params, "Path") or "/"
            made = f"arn:aws:iam::{account}:{kind}{path}{value}"
            return str(entity["Arn"]) if entity and not action.startswith("Create") else made
    if action == "CreatePolicy":
        path = _first(params, "Path") or "/"
        return f"arn:aws:iam::{account}:policy{path}{_first(params, 'PolicyName')}"
    model = service_model("iam")
    shape = model.operation_model(action).input_shape if action in model.operation_names else None
    if shape is not None and "UserName" in shape.members:
        # A user who names nobody means herself.
        return str(patches.get(EVALUATOR, "caller_arn")())
    return None


def _path(params: Mapping[str, Any], name: str, value: str) -> str:
    profile = patches.get(IAM, "_instance_profiles").get(value) or {}
    there = profile.get("Path") if name == "InstanceProfileName" else ""
    return _first(params, "Path") or str(there or "/")


def _describe_requests() -> None:
    """iam:PolicyARN, iam:PermissionsBoundary, iam:AWSServiceName, events:source, -detail-type."""

    def context(
        service: str, action: str, body: bytes, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        known: dict[str, Any] = original(service, action, body, params)
        if service == "iam":
            known |= iam_context(params)
        if action == "events:PutEvents":
            entries = [one for one in _body(body).get("Entries", []) if isinstance(one, dict)]
            for key, field in (("source", "Source"), ("detail-type", "DetailType")):
                values = sorted({str(entry.get(field)) for entry in entries})
                known[f"events:{key}"] = values
        if action == "cloudwatch:PutMetricData":
            known["cloudwatch:namespace"] = _namespace(body, params)
        return known

    original = patches.replace(ACTIONS, "request_tag_context", context)


def iam_context(params: Mapping[str, Any]) -> dict[str, Any]:
    """The condition keys of an IAM call."""
    action = _first(params, "Action")
    keys: dict[str, Any] = {"iam:AWSServiceName": _first(params, "AWSServiceName")}
    if ABOUT_POLICY.fullmatch(action):
        keys["iam:PolicyARN"] = _first(params, "PolicyArn")
    if ABOUT_BOUNDARY.fullmatch(action):
        entities = (patches.get(IAM, store).get(_first(params, name)) for name, _, store in KINDS)
        there = next((one.get("PermissionsBoundary") for one in entities if one), None)
        keys["iam:PermissionsBoundary"] = _first(params, "PermissionsBoundary") or there
    return {name: value for name, value in keys.items() if value}


def _describe_principals(state: State) -> None:
    """aws:PrincipalArn, aws:PrincipalOrgID, and what a function's own session carries."""

    def condition_key(key: str, context: Any) -> Any:
        if key.lower() == "aws:principalarn":
            return principal_arn(context.principal_arn)
        if key.lower() == "aws:resourceorgid":
            fields = str(context.resource_arn).split(":")
            account = fields[4] if len(fields) > 5 else ""
            return state.organization_of(account or context.principal_account)
        return original(key, context)

    def principal_keys(credential: Any) -> dict[str, Any]:
        keys: dict[str, Any] = original_keys(credential)
        session = patches.get("ministack.services.sts", "_sessions").get(credential.access_key_id)
        if session and session.get("SourceFunctionArn"):
            keys["lambda:sourcefunctionarn"] = session["SourceFunctionArn"]
        if session and session.get("Mfa"):
            keys["aws:multifactorauthpresent"] = "true"
        return keys

    def credentials(config: dict[str, Any]) -> dict[str, str]:
        answer: dict[str, str] = original_credentials(config)
        sessions = patches.get("ministack.services.sts", "_sessions")
        session = sessions[answer["AWS_ACCESS_KEY_ID"]]
        role = role_of_session(session["Arn"])
        name = session["Arn"].rpartition("/")[2]
        session["UserId"] = f"{role['RoleId'] if role else 'AROAUNKNOWN'}:{name}"
        session["SourceFunctionArn"] = config["FunctionArn"].removesuffix(":$LATEST")
        return answer

    original = patches.replace(EVALUATOR, "_resolve_condition_key", condition_key)
    original_keys = patches.replace(EVALUATOR, "_principal_keys", principal_keys)
    original_credentials = patches.replace(LAMBDA, "execution_credentials", credentials)
    # sts imported the function by name when it was loaded, so it has its own reference.
    patches.replace("ministack.services.sts", "_principal_keys", principal_keys)
    patches.replace(EVALUATOR, "_principal_org_id", lambda account: state.organization_of(account))


def principal_arn(arn: str) -> str:
    """aws:PrincipalArn: of a role session the role's ARN, path included; of others their own."""
    role = role_of_session(arn) if ":assumed-role/" in arn else None
    return str(role["Arn"]) if role else arn


def _reach_other_accounts() -> None:
    """A function named by its ARN in another account; the policy of a table."""

    def policy(service: str, arn: str) -> Any:
        if not arn.startswith("arn:"):
            return None
        named = Arn.parse(arn)
        if service == "dynamodb":
            stores = patches.get("ministack.services.dynamodb", "_resource_policies")
            table = arn.partition("/index/")[0]
            found = stores.get_scoped(named.account, named.region, table)
            return (found["Policy"], named.account) if found else None
        if service == "lambda" and named.account != _account():
            with _scope(named):
                return original(service, arn)
        return original(service, arn)

    async def handle(
        method: str, path: str, headers: Any, body: bytes, query: dict[str, Any]
    ) -> Any:
        function = _foreign_function(path)
        if function is None:
            return await original_handler(method, path, headers, body, query)
        with _scope(function):
            return await original_handler(method, path, headers, body, query)

    original = patches.replace(EVALUATOR, "_resource_policy", policy)
    original_handler = patches.replace_entry("ministack.app", "SERVICE_HANDLERS", "lambda", handle)


def _foreign_function(path: str) -> Arn | None:
    """The function of /2015-03-31/functions/ARN/invocations when it is another account's."""
    _, _, rest = unquote(path).partition("/functions/")
    arn, _, call = rest.partition("/")
    if call != "invocations" or not arn.startswith("arn:aws:lambda:"):
        return None
    function = Arn.parse(arn)
    return function if function.account != _account() else None


def _account() -> str:
    return str(patches.get("ministack.core.responses", "get_account_id")())


def _scope(arn: Arn) -> Any:
    return patches.get("ministack.core.responses", "request_scope")(arn.account, arn.region)


def _first(params: Mapping[str, Any], name: str) -> str:
    value = params.get(name, "")
    return str(value[0] if isinstance(value, list) and value else value or "")


def _namespace(body: bytes, params: Mapping[str, Any]) -> str:
    """Where metrics go: botocore speaks CBOR, others JSON or the query protocol."""
    if params.get("Namespace"):
        return _first(params, "Namespace")
    try:
        read = cbor2.loads(body)
    except (cbor2.CBORDecodeError, ValueError):
        read = _body(body)
    return str(read.get("Namespace", "")) if isinstance(read, dict) else ""


def _body(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body or b"{}")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
