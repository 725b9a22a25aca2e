"""Service control policies in force: what binds an account, and whether it refuses a request.

The documents are the Organization's, the matching is the emulator's own evaluator; who may
attach a policy is decided in organization_api. Messages: IAM User Guide, "Troubleshoot access
denied error messages".
"""

from __future__ import annotations

import functools
from contextvars import ContextVar
from typing import Any

from sandbox.core import patches
from sandbox.core.calls import quiet
from sandbox.core.identities import role_of_session
from sandbox.core.request_context import account_now, scope
from sandbox.core.state import Request
from sandbox.organizations.attached_policies import KIND, policies_of, types_enabled
from sandbox.organizations.organization import Organization, parents_of

ACTIONS = "ministack.core.iam_actions"
EVALUATOR = "ministack.core.iam_evaluator"
SERVICE_LINKED = "/aws-service-role/"
# No policy refuses these (IAM User Guide, "Policy evaluation logic"; STS API Reference).
NEVER_REFUSED = ("sts:GetCallerIdentity", "sts:GetSessionToken")
# These word a refusal without asking us; a code of their own lets them use our words.
OWN_WORDS = ("ssm", "logs")

# Why the running request was refused by a service control policy; empty when it was not.
_reason: ContextVar[str] = ContextVar("refused_by_control_policy", default="")


def install(organization: Organization) -> None:
    """Put them round every authorization of the emulator, until the hooks are restored."""
    organization.state.refusal = lambda request: refusal(organization, request)
    resolve = patches.get(EVALUATOR, "resolve_principal")

    def enforce(
        key: str, action: str, service: str, region: str, resource_arn: str = "*", **more: Any
    ) -> Any:
        _reason.set("")
        denied = original(key, action, service, region, resource_arn=resource_arn, **more)
        failed = isinstance(denied, patches.get(EVALUATOR, "AuthError"))
        if failed or quiet.get() or action in NEVER_REFUSED:
            return denied
        principal = resolve(key or "", account_now())
        if isinstance(principal, patches.get(EVALUATOR, "AuthError")):
            return denied
        context = more.get("service_context") or {}
        reason = refusal(
            organization,
            Request(
                principal=principal.arn,
                account=principal.account,
                action=action,
                resource=resource_arn,
                region=region,
                context={name.lower(): value for name, value in context.items()},
                keys=principal.keys,
            ),
        )
        if reason is None:
            return denied
        _reason.set(reason)
        return patches.get(EVALUATOR, "EvalResult")("Deny", principal.arn)

    def denied_response(service: str, action: str, *names: Any, **more: Any) -> Any:
        reason = _reason.get()
        if reason and not more.get("error_code"):
            more["message"] = reason
            if service in OWN_WORDS:
                more["error_code"] = "AccessDeniedException"
        return worded(service, action, *names, **more)

    original = patches.replace(EVALUATOR, "enforce", enforce)
    worded = patches.replace(ACTIONS, "access_denied_response", denied_response)


def refusal(organization: Organization, request: Request) -> str | None:
    """Why service control policies refuse a request, in AWS's words; None when they do not."""
    texts = levels_of(organization, request.account)
    levels = [[_parsed(text) for text in level] for level in texts]
    role = role_of_session(request.principal) if ":assumed-role/" in request.principal else None
    if not levels or (role and role["Path"].startswith(SERVICE_LINKED)):
        return None
    context = patches.get(EVALUATOR, "EvalContext")(
        principal_arn=request.principal,
        principal_type="",
        principal_account=request.account,
        action=request.action,
        resource_arn=request.resource,
        region=request.region,
        service_context={"aws:tagkeys": None, **request.context},
        principal_keys=dict(request.keys),
    )
    decision = patches.get(EVALUATOR, "evaluate")(context, levels[0], *levels[1:]).decision
    if decision == "Allow":
        return None
    why = (
        "with an explicit deny in a service control policy"
        if decision == "Deny"
        else f"because no service control policy allows the {request.action} action"
    )
    on = f" on resource: {request.resource}" if request.resource != "*" else ""
    return f"User: {request.principal} is not authorized to perform: {request.action}{on} {why}"


def levels_of(organization: Organization, account: str) -> list[list[str]]:
    """Answer the policies that bind an account, a list of documents each for the root, the OUs and
    the account; none for the management account, for strangers, and while switched off.

    An action must be allowed on every level, and denied on none (Organizations User Guide, "SCP
    evaluation")."""
    if account == organization.state.management:
        return []
    with scope(organization.state.management):
        chain = [*parents_of(organization, account)]
        if not chain or KIND not in types_enabled(chain[-1]):
            return []
        return [policies_of(target) for target in [*reversed(chain), account]]


@functools.lru_cache(maxsize=256)
def _parsed(document: str) -> Any:
    return patches.get(EVALUATOR, "parse_policy_document")(document)
