"""Every request that an open sandbox decides, with its verdict, for the second evaluator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from ministack.core import iam_evaluator

from sandbox.core.calls import quiet
from sandbox.core.request_context import account_now
from sandbox.organizations.control_policies import levels_of
from sandbox.organizations.organization import Organization
from tests.second_opinion.evaluators import ALLOWED, Document, Question

Decided = tuple[Question, str]


@contextmanager
def recorded(organization: Organization) -> Iterator[list[Decided]]:
    """Hear the requests of principals and of AWS services; the root user's need no policy."""
    heard: list[Decided] = []

    def enforce(
        key: str, action: str, service: str, region: str, resource_arn: str = "*", **more: Any
    ) -> Any:
        denied = decide(key, action, service, region, resource_arn=resource_arn, **more)
        caller = iam_evaluator.resolve_principal(key or "", account_now())
        failed = isinstance(caller, iam_evaluator.AuthError) or caller.policies is None
        if not failed and not quiet.get():
            context = iam_evaluator.EvalContext(
                principal_arn=caller.arn,
                principal_type=caller.type,
                principal_account=caller.account,
                action=action,
                resource_arn=resource_arn,
                region=region,
                service_context=_lower(more.get("service_context") or {}),
                principal_keys=caller.keys,
            )
            levels = levels_of(organization, caller.account)
            question = _question(service, caller, context, levels)
            heard.append((question, denied.decision if denied else ALLOWED))
        return denied

    def judge(policy: Any, context: Any, service: str | None = None, **more: Any) -> Any:
        found = judged(policy, context, service=service, **more)
        if service:
            heard.append((_of_service(service, context, _read(policy)), found.decision))
        return found

    decide, judged = iam_evaluator.enforce, iam_evaluator.evaluate_resource_policy
    with (
        mock.patch.object(iam_evaluator, "enforce", enforce),
        mock.patch.object(iam_evaluator, "evaluate_resource_policy", judge),
    ):
        yield heard


def _question(service: str, caller: Any, context: Any, levels: list[list[str]]) -> Question:
    found = iam_evaluator._resource_policy(service, context.resource_arn)
    policy, owner = (_read(found[0]), found[1]) if found else (None, None)
    identity = tuple(_document(one) for one in caller.policies)
    guardrails = tuple(tuple(_read(text) for text in level) for level in levels)
    named = [
        *identity,
        *(one for level in guardrails for one in level),
        *([policy] if policy else ()),
    ]
    return Question(
        who=caller.arn,
        action=context.action,
        resource=context.resource_arn,
        owner=owner or caller.account,
        keys=_keys(context, named),
        identity=identity,
        limits=tuple(_document([s for one in layer for s in one]) for layer in caller.limits),
        guardrails=guardrails,
        policy=policy,
    )


def _of_service(service: str, context: Any, policy: Document) -> Question:
    return Question(
        who=service,
        action=context.action,
        resource=context.resource_arn,
        owner=context.resource_arn.split(":")[4],
        keys=_lower(context.service_context),
        policy=policy,
    )


def _keys(context: Any, documents: list[Document]) -> dict[str, Any]:
    """What the sandbox sends with the request, and what the policies ask for besides."""
    asked = {
        key.lower()
        for document in documents
        for statement in _listed(document["Statement"])
        for keys in statement.get("Condition", {}).values()
        for key in keys
    }
    names = asked | set(context.service_context)
    found = {name: iam_evaluator._resolve_condition_key(name, context) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _document(statements: list[Any]) -> Document:
    """The document that the evaluator has read, written again."""
    written = [
        {
            "Effect": one.effect,
            "Action": one.actions,
            "NotAction": one.not_actions,
            "Resource": one.resources,
            "NotResource": one.not_resources,
            "Condition": one.conditions,
        }
        for one in statements
    ]
    kept = [{name: value for name, value in one.items() if value} for one in written]
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": one["Effect"], **one} for one in kept],
    }


def _read(policy: Any) -> Document:
    return dict(json.loads(policy)) if isinstance(policy, str) else dict(policy or {})


def _lower(keys: Any) -> dict[str, Any]:
    return {name.lower(): value for name, value in keys.items()}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
