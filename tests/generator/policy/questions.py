"""Ask the emulator's IAM evaluator, which is not ours, about policies of the templates.

With a full context: its SimulatePrincipalPolicy ignores context entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.session import get_session
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

from tests.generator.filling import ACCOUNT

Document = dict[str, Any]


def decision(
    documents: Iterable[Document],
    action: str,
    resource: str,
    *,
    principal: str = f"arn:aws:iam::{ACCOUNT}:user/alice",
    boundary: Document | None = None,
    context: Mapping[str, str] | None = None,
) -> str:
    """Allow, Deny or ImplicitDeny; `context` is condition key -> value beside what all have."""
    kind = "AssumedRole" if ":role/" in principal else "User"
    asked = EvalContext(
        principal_arn=principal,
        principal_type=kind,
        principal_account=ACCOUNT,
        action=action,
        resource_arn=resource,
        region="us-east-1",
        source_ip="192.0.2.1",
        secure_transport=True,
        service_context={key.lower(): value for key, value in (context or {}).items()},
    )
    limits = [[parse_policy_document(boundary)]] if boundary else []
    parsed = [parse_policy_document(document) for document in documents]
    return str(evaluate(asked, parsed, *limits).decision)


def operations(service: str) -> list[str]:
    """Every API operation of a service as botocore knows it; an IAM action is named alike."""
    return list(get_session().get_service_model(service).operation_names)
