"""One request, asked of two evaluators of IAM policies: the sandbox's, and one by other people.

`.ci/iam-simulate` puts the second one into .tools/; nothing of it belongs to the project. Both get
the same condition keys: what a request carries is written in the trial, with AWS's page.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ministack.core import iam_evaluator

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / ".tools" / "iam-simulate"
HOW = "run .ci/iam-simulate to have it (it needs npm)"

ALLOWED, DENIED, NOT_ALLOWED = "Allow", "Deny", "ImplicitDeny"
VERDICTS = {"Allowed": ALLOWED, "ExplicitlyDenied": DENIED, "ImplicitlyDenied": NOT_ALLOWED}
# Their own policy must allow, whatever an identity policy says: a key's, and a role's trust.
POLICY_REQUIRED = ("kms", "sts")
# What the Reference lists for no action, since every call of a function carries it: a cross-service
# key (IAM User Guide, "AWS global condition context keys"; Lambda Developer Guide, "Using source
# function ARN to control function access behavior").
EVERYWHERE = ("lambda:sourcefunctionarn",)

Document = dict[str, Any]
Keys = Mapping[str, str | list[str]]


@dataclass(frozen=True)
class Question:
    """A request and every policy that may speak to it.

    `who` is the ARN of a principal, or an AWS service. `keys` are all condition keys of the
    request. `limits` holds the boundary, then a session's policy. `guardrails` holds the service
    control policies of each level, root first. `policy` is the resource's own, of the account
    `owner`.
    """

    who: str
    action: str
    resource: str
    owner: str
    keys: Keys = field(default_factory=dict)
    identity: tuple[Document, ...] = ()
    limits: tuple[Document, ...] = ()
    guardrails: tuple[tuple[Document, ...], ...] = ()
    policy: Document | None = None


@dataclass(frozen=True)
class Answer:
    """A verdict, or why there is none; `ignored` are keys that no such request carries."""

    verdict: str = ""
    error: str = ""
    ignored: tuple[str, ...] = ()


def ours(asked: Question) -> str:
    """Ask the sandbox's evaluator."""
    keys = {name.lower(): value for name, value in asked.keys.items()}
    # By itself it would work some keys out, with a box open from what is in that box.
    given = mock.patch.object(
        iam_evaluator, "_resolve_condition_key", lambda key, _: keys.get(key.lower())
    )
    with given:
        return str(_result(asked).decision)


def _result(asked: Question) -> Any:
    service = asked.who if asked.who.endswith(".amazonaws.com") else ""
    context = iam_evaluator.EvalContext(
        principal_arn="" if service else asked.who,
        principal_type="",
        principal_account="" if service else asked.who.split(":")[4],
        action=asked.action,
        resource_arn=asked.resource,
        region="us-east-1",
    )
    if service:
        return iam_evaluator.evaluate_resource_policy(asked.policy, context, service=service)
    parse = iam_evaluator.parse_policy_document
    limits = [[parse(one)] for one in asked.limits]
    levels = [[parse(one) for one in level] for level in asked.guardrails]
    own = [parse(one) for one in asked.identity]
    identity = iam_evaluator.evaluate(context, own, *limits, *levels)
    if asked.policy is None:
        return identity
    required = asked.action.split(":")[0] in POLICY_REQUIRED
    return iam_evaluator.combine_resource_policy(
        identity, context, asked.policy, asked.owner, required=required, limits=[*limits, *levels]
    )


def missing() -> str:
    """Why the second evaluator is not here, in one sentence; empty where it is."""
    if not (FOLDER / "versions").exists():
        return f"iam-simulate is not in .tools/: {HOW}"
    if shutil.which("node") is None:
        return f"iam-simulate needs node: {HOW}"
    return ""


def asked_for() -> bool:
    """Whether this run's verdict depends on it."""
    return os.environ.get("CI") == "true"


def need() -> None:
    """Skip a test where the second evaluator is missing; fail where it was asked for."""
    if why := missing():
        assert not asked_for(), why
        pytest.skip(why)


def theirs(asked: Iterable[Question]) -> list[Answer]:
    """Ask the second evaluator, in one process: node starts slowly."""
    numbers: dict[str, int] = {}

    def number(document: Document) -> int:
        return numbers.setdefault(json.dumps(document, sort_keys=True), len(numbers))

    requests = [
        {
            "who": one.who,
            "action": one.action,
            "resource": one.resource,
            "owner": one.owner,
            "context": {name.lower(): value for name, value in one.keys.items()},
            "everywhere": EVERYWHERE,
            "identity": [number(document) for document in one.identity],
            "limits": [number(document) for document in one.limits],
            "guardrails": [[number(document) for document in level] for level in one.guardrails],
            "policy": None if one.policy is None else number(one.policy),
        }
        for one in asked
    ]
    documents = [json.loads(text) for text in numbers]
    done = subprocess.run(
        ["node", str(HERE / "decide.mjs"), str(FOLDER)],
        input=json.dumps({"documents": documents, "requests": requests}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [
        Answer(
            verdict=VERDICTS.get(one.get("decision", ""), ""),
            error=one.get("error", ""),
            ignored=tuple(one.get("ignored", ())),
        )
        for one in json.loads(done.stdout)
    ]
