"""The tables of the documentation, printed from what they document; the prose around is by hand.

A table stands between `<!-- table: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from generator.central.policies import (
    BUS_POLICY,
    HEALTH_TOPIC_POLICY,
    INCIDENT_TOPIC_POLICY,
    KEY_POLICY,
    NOTIFIER_ALWAYS,
    NOTIFIER_GIVEN_KEY,
    NOTIFIER_OWN_KEY,
    QUEUE_POLICY,
    RESPONDER_ALWAYS,
)
from generator.central.policies import DEAD_LETTERS as CENTRAL_DEAD_LETTERS
from generator.central.responder_role import SECURITY_TEAM
from generator.guardrail import AWS_LIMIT, LIMIT, guardrail_json, guardrail_statements
from generator.member.resource_policies import (
    DEAD_LETTERS,
    FORWARDER_ALWAYS,
    FORWARDER_TRUST,
    RECONCILE_ALWAYS,
    STATE_TABLE_POLICY,
    TRAIL_ALWAYS,
)
from generator.member.revoker_role import REVOKER_ALWAYS, REVOKER_ENFORCING, REVOKER_INLINE
from generator.member.schedule import NOBODY
from generator.policy.statements import Statement
from generator.render import Rendered
from handler.model.deny_policy import DENIED_ACTIONS
from handler.model.reasons import REASONS
from handler.model.settings import KNOBS

Row = Sequence[str]

# What CloudFormation replaces instead of changing, of the properties that our resources have.
# A test holds this against CloudFormation's own schemas.
CREATE_ONLY = {
    "AWS::CloudTrail::Trail": ("TrailName",),
    "AWS::DynamoDB::Table": ("TableName", "KeySchema"),
    "AWS::Events::EventBus": ("Name",),
    "AWS::Events::EventBusPolicy": ("EventBusName", "StatementId"),
    "AWS::Events::Rule": ("Name", "EventBusName"),
    "AWS::IAM::Group": ("GroupName",),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", "Description", "Path"),
    "AWS::IAM::Role": ("Path", "RoleName"),
    "AWS::Lambda::EventInvokeConfig": ("FunctionName", "Qualifier"),
    "AWS::Lambda::EventSourceMapping": ("EventSourceArn",),
    "AWS::Lambda::Function": ("FunctionName",),
    "AWS::Lambda::Permission": (
        *("FunctionName", "SourceAccount", "SourceArn", "Principal", "Action"),
    ),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::Scheduler::Schedule": ("Name",),
    "AWS::SNS::Subscription": ("Endpoint", "Protocol", "TopicArn"),
    "AWS::SNS::Topic": ("TopicName",),
    "AWS::SQS::Queue": ("QueueName",),
}

NARROW = 160

_MARKED = re.compile(r"(<!-- table: (?P<name>\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def documents(root: Path, templates: tuple[Rendered, ...]) -> dict[Path, bytes]:
    """README.md and docs/*.md with every table printed anew; ValueError on an unknown name."""
    printed = tables(templates)
    found: dict[Path, bytes] = {}
    for path in (root / "README.md", *sorted((root / "docs").glob("*.md"))):
        if path.exists():
            text = path.read_text(encoding="utf-8")
            found[path] = _with_tables(path.name, text, printed).encode()
    return found


def _with_tables(name: str, text: str, printed: dict[str, str]) -> str:
    unknown = {match["name"] for match in _MARKED.finditer(text)} - printed.keys()
    if unknown:
        raise ValueError(f"{name}: there is no table {', '.join(sorted(unknown))}")
    return _MARKED.sub(lambda match: f"{match[1]}\n{printed[match['name']]}\n{match[3]}", text)


def tables(templates: tuple[Rendered, ...]) -> dict[str, str]:
    """Every table as Markdown, by name."""
    member, central = templates
    return {
        "member-parameters": _parameters(member),
        "central-parameters": _parameters(central),
        "revoker-permissions": _permissions(
            ("always", REVOKER_ALWAYS),
            ("Mode = enforce", REVOKER_ENFORCING),
            ("and InlineDeny = allow", REVOKER_INLINE),
        ),
        "member-permissions": _permissions(
            ("trust of the forward role", (FORWARDER_TRUST,)),
            ("forward role", FORWARDER_ALWAYS),
            ("reconciliation role", RECONCILE_ALWAYS),
            ("trail role, if there is a trail", TRAIL_ALWAYS),
            ("trust of the canary role", (NOBODY,)),
            ("dead-letter queue", DEAD_LETTERS),
            ("state table", STATE_TABLE_POLICY),
        ),
        "notifier-permissions": _permissions(
            ("always", NOTIFIER_ALWAYS),
            ("with our own topic", NOTIFIER_OWN_KEY),
            ("with SNSTopicKmsKeyArn", NOTIFIER_GIVEN_KEY),
        ),
        "responder-permissions": _permissions(
            ("trust of the responder role", (SECURITY_TEAM,)),
            ("responder's role", RESPONDER_ALWAYS),
        ),
        "guardrail": _guardrail(guardrail_statements()),
        "guardrail-size": f"{len(guardrail_json()):,} characters, of {LIMIT:,} that every tool "
        f"takes and {AWS_LIMIT:,} that AWS takes today.\n",
        "central-permissions": _permissions(
            ("event bus", BUS_POLICY),
            ("queue", QUEUE_POLICY),
            ("dead-letter queue", CENTRAL_DEAD_LETTERS),
            ("topic key", KEY_POLICY),
            ("topic of incidents", INCIDENT_TOPIC_POLICY),
            ("topic of health", HEALTH_TOPIC_POLICY),
        ),
        "denied-actions": _table(
            ("Denied", "Because it is, or leads to, a right in IAM"),
            [(f"`{action}`", why) for action, why in DENIED_ACTIONS.items()],
        ),
        "verdict-reasons": _table(
            ("Reason", "What it says"),
            [(f"`{reason.value}`", says) for reason, says in REASONS.items()],
        ),
        "sizes": _sizes(templates),
    }


def _table(head: Row, rows: Iterable[Row]) -> str:
    """Markdown of a table; a narrow one is padded, so that its source can be read too."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    if sum(widths) > NARROW:
        widths = [3] * len(head)
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"


def _parameters(template: Rendered) -> str:
    why = {knob.parameter: knob.why for knob in KNOBS}
    rows = []
    for name, body in template.tree["Parameters"].items():
        default = "*required*" if "Default" not in body else _code(body["Default"]) or "*empty*"
        says = " ".join(filter(None, (body["Description"], why.get(name, ""))))
        allowed = [str(value) for value in body.get("AllowedValues", ())]
        if "MaxValue" in body:
            allowed = [str(body["MinValue"]), "...", str(body["MaxValue"])]
        if len(allowed) > 8:
            allowed = [allowed[0], "...", allowed[-1]]
        takes = ", ".join(map(_code, allowed))
        if "MaxLength" in body:
            takes = f"up to {body['MaxLength']:,} characters"
        rows.append((f"`{name}`", default, says, takes))
    return _table(("Parameter", "Default", "What it does", "Takes"), rows)


def _code(value: object) -> str:
    return f"`{value}`" if str(value) else ""


def _permissions(*groups: tuple[str, Sequence[Statement]]) -> str:
    rows = [
        (
            when,
            f"{statement.sid} (Deny)" if statement.effect == "Deny" else statement.sid,
            " ".join(f"`{action}`" for action in statement.actions),
            " ".join(f"`{_readable(resource)}`" for resource in statement.resources),
            " and ".join(_conditions(statement)),
            statement.why,
        )
        for when, statements in groups
        for statement in statements
    ]
    return _table(("When", "Sid", "Actions", "On", "Only if", "Why"), rows)


def _guardrail(statements: Sequence[Statement]) -> str:
    rows = []
    for statement in statements:
        refused = " ".join(f"`{action}`" for action in statement.actions)
        spared = " ".join(f"`{action}`" for action in statement.not_actions)
        about = [
            f"where `{key}` is " + " or ".join(f"`{_anywhere(one)}`" for one in _listed(value))
            for key, value in statement.conditions.get("ArnLike", {}).items()
        ]
        free = statement.conditions["ArnNotLike"]["aws:PrincipalArn"]
        rows.append(
            (
                statement.sid,
                refused or f"all but {spared}",
                " ".join((*(f"`{_anywhere(one)}`" for one in statement.resources), *about)),
                " ".join(f"`{_anywhere(one)}`" for one in free),
                statement.why,
            )
        )
    return _table(("Sid", "Refuses", "On", "Except to", "Why"), rows)


def _anywhere(pattern: str) -> str:
    """An ARN pattern without what is a wildcard throughout: partition, region, account."""
    return re.sub(r"^arn:\*:([a-z0-9]+):\*?:\*:", lambda found: _service(found[1]), pattern)


def _service(name: str) -> str:
    return "" if name == "iam" else f"{name}: "


def _conditions(statement: Statement) -> list[str]:
    who = statement.principal
    said = [] if who is None else [f"by `{_readable(_only(who))}`"]
    for operator, keys in statement.conditions.items():
        if "Fn::If" in keys:
            _, here, otherwise = keys["Fn::If"]
            said.append(f"({_comparison(operator, here)} or {_comparison(operator, otherwise)})")
        else:
            said.append(_comparison(operator, keys))
    return said


def _comparison(operator: str, keys: dict[str, Any]) -> str:
    if operator == "Null":
        return " and ".join(f"`{key}` is given" for key in keys)
    every = "every " if operator.startswith("ForAllValues:") else ""
    sign = "is not" if "Not" in operator else "is"
    return " and ".join(
        f"{every}`{key}` {sign} " + " or ".join(f"`{_readable(one)}`" for one in _listed(value))
        for key, value in keys.items()
    )


def _only(principal: Any) -> str:
    return principal if isinstance(principal, str) else str(next(iter(principal.values())))


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _readable(text: str) -> str:
    """An ARN without what is always the stack's own: partition, service, region, account."""
    text = re.sub(r"^arn:(\$\{AWS::Partition\}|\*):[a-z0-9]+:(\$\{AWS::Region\})?:", "", text)
    text = text.removeprefix("${AWS::AccountId}:")
    return re.sub(r"\$\{(?:AWS::)?([A-Za-z0-9.]+)\}", r"\1", text)


def _sizes(templates: tuple[Rendered, ...]) -> str:
    rows = [
        (
            f"`{one.name}.yaml`",
            f"{one.code.index.count(chr(10)):,}",
            f"{len(one.yaml.encode()):,}",
            f"{len(one.json.encode()):,}",
            f"`{one.travels_as}`",
        )
        for one in templates
    ]
    head = ("Template", "Lines of code", "Bytes as YAML", "Bytes as minified JSON", "Sent as")
    return _table(head, rows)
