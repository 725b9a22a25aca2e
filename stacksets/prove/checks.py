"""What stands in AWS is what the rollout made: rules, deny, bus, notifier, queues. Reads only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from handler.model.deny_policy import still_denies
from handler.model.names import (
    BUS,
    CALLS_RULE,
    DENY_POLICY,
    MEMBER_DEAD_LETTERS,
    NOTIFIER,
    REPORTS_DEAD_LETTERS,
    REPORTS_QUEUE,
    REVOKER,
    TAMPER_RULE,
    TAMPER_STORES_RULE,
    iam_arn,
)
from stacksets.observe.clients import Clients
from stacksets.prove.attacks.actor import code_of
from stacksets.steps.guardrail import many
from stacksets.steps.inputs import Given
from stacksets.steps.model import Plan

# Queues, and whose account they stand in.
QUEUES = (
    ("member", MEMBER_DEAD_LETTERS),
    ("central", REPORTS_QUEUE),
    ("central", REPORTS_DEAD_LETTERS),
)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at or tried. `ok` is None where no answer is wrong;
    `points_to` says what a difference points to."""

    name: str
    asks: str
    seen: str
    ok: bool | None
    points_to: str = ""
    seconds: float | None = None


def checks(given: Given, made: Plan, clients: Clients, account: str) -> Iterator[Check]:
    """Every check that needs no attack."""
    central = given.wanted.central.account
    yield plan_check(made)
    yield rules_check(clients.of("events", account), clients.of("lambda", account))
    yield deny_check(clients.of("iam", account), partition=clients.partition, account=account)
    yield bus_check(given, clients.of("events", central))
    yield notifier_check(clients.of("lambda", central))


def plan_check(made: Plan) -> Check:
    """Another apply has nothing to do."""
    asks = "A plan after the rollout is empty"
    if made.empty:
        return Check("plan", asks, "yes", True)
    said = many(len(made.steps), "step") if made.steps else "refused"
    hint = "The account may not have this version. Run apply; if the plan never ends, report it."
    return Check("plan", asks, f"{said} left", False, hint)


def rules_check(events: Any, function: Any) -> Check:
    """The rules are on, and the function's own policy lets them invoke it."""
    asks = "The rules are on and may invoke the function"
    for name in (CALLS_RULE, TAMPER_RULE, TAMPER_STORES_RULE):
        if (state := _state_of(events, name)) != "ENABLED":
            hint = (
                f"The rule {name} is {state}: run drift to see what else is, then drift --repair."
            )
            return Check("rules", asks, f"a rule is {state}", False, hint)
    found = _statements(lambda: function.get_policy(FunctionName=REVOKER)["Policy"])
    mine = [one for one in found if _names_rule(one, CALLS_RULE)]
    if not mine:
        hint = (
            f"The policy of the function {REVOKER} has no statement for the rule {CALLS_RULE}: "
            "each event goes to the dead-letter queue. Run drift --repair."
        )
        return Check("rules", asks, "no permission for the rule", False, hint)
    if not any("aws:sourceaccount" not in _keys(one) for one in mine):
        # EventBridge User Guide, "Troubleshooting Amazon EventBridge".
        hint = (
            f"The permission of the function {REVOKER} asks for aws:SourceAccount, which "
            "EventBridge does not send: no rule can invoke it. Install this version's template."
        )
        return Check("rules", asks, "permission with SourceAccount", False, hint)
    return Check("rules", asks, "yes", True)


def deny_check(iam: Any, *, partition: str, account: str) -> Check:
    """The deny policy denies."""
    asks = "The deny policy denies, and nothing else"
    arn = iam_arn(partition=partition, account=account, kind="policy", name=DENY_POLICY)
    try:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
    except ClientError as error:
        if code_of(error) != "NoSuchEntity":
            raise
        return Check("deny", asks, "no policy", False, "The member stack is not whole: run status.")
    if still_denies(found["Document"]):
        return Check("deny", asks, "yes", True)
    hint = (
        f"The policy {DENY_POLICY} was rewritten and contains nobody: run drift, then drift "
        "--repair. A mail [Revoker tampered] names who did it."
    )
    return Check("deny", asks, "rewritten", False, hint)


def bus_check(given: Given, events: Any) -> Check:
    """The policy of the central bus has each statement of the template."""
    asks = "The central bus has every statement of its policy"
    wanted = {
        one["Properties"]["StatementId"]
        for one in given.central.document["Resources"].values()
        if one["Type"] == "AWS::Events::EventBusPolicy"
    }
    found = _statements(lambda: events.describe_event_bus(Name=BUS).get("Policy") or "{}")
    missing = wanted - {one.get("Sid") for one in found}
    if not missing:
        return Check("bus", asks, f"{len(wanted)} of {len(wanted)}", True)
    hint = (
        f"The bus {BUS} lacks {', '.join(sorted(missing))}: reports or tamper events of the "
        "accounts are refused there. Run drift: it prints the commands for the central stack."
    )
    return Check("bus", asks, f"{len(wanted) - len(missing)} of {len(wanted)}", False, hint)


def notifier_check(function: Any) -> Check:
    """The notifier reads its queue."""
    asks = "The notifier reads its queue"
    found = function.list_event_source_mappings(FunctionName=NOTIFIER)["EventSourceMappings"]
    if [one["State"] for one in found] == ["Enabled"]:
        return Check("notifier", asks, "yes", True)
    state = found[0]["State"] if found else "missing"
    hint = (
        f"The event source mapping of {NOTIFIER} is {state}: reports wait in {REPORTS_QUEUE} and "
        "nobody is mailed. Run drift: it prints the commands for the central stack."
    )
    return Check("notifier", asks, f"mapping {state}", False, hint)


def depths(clients: Clients, account: str, central: str) -> dict[str, int]:
    """How many messages lie in each queue."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = {}
    for where, name in QUEUES:
        sqs = clients.of("sqs", account if where == "member" else central)
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        depth = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        found[name] = sum(int(depth[one]) for one in names)
    return found


def grown(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """The queues in which more messages lie than before, and how many more."""
    return {name: after[name] - before[name] for name in before if after[name] > before[name]}


def letters_check(before: Mapping[str, int], after: Mapping[str, int]) -> Check:
    """Nothing was left over in a queue."""
    asks = "No event is left in a queue"
    more = grown(before, after)
    if not more:
        return Check("letters", asks, "yes", True)
    why = {
        MEMBER_DEAD_LETTERS: "a rule or the function failed: its log and the letters say why",
        REPORTS_QUEUE: "the notifier does not take reports: its log says why",
        REPORTS_DEAD_LETTERS: "the notifier could not handle reports: see the alarm ReportsDead",
    }
    said = "; ".join(f"{name}: {why[name]}" for name in sorted(more))
    return Check("letters", asks, f"{sum(more.values())} left", False, f"{said}.")


def _state_of(events: Any, rule: str) -> str:
    try:
        return str(events.describe_rule(Name=rule)["State"])
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        return "missing"


def _statements(read: Any) -> list[dict[str, Any]]:
    """The statements of a resource policy; none where there is none."""
    try:
        return list(json.loads(read()).get("Statement", ()))
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        return []


def _names_rule(one: Mapping[str, Any], rule: str) -> bool:
    values = [
        str(value)
        for pairs in one.get("Condition", {}).values()
        for key, found in pairs.items()
        if key.lower() == "aws:sourcearn"
        for value in _list(found)
    ]
    return one.get("Effect") == "Allow" and any(value.endswith(f":rule/{rule}") for value in values)


def _keys(one: Mapping[str, Any]) -> set[str]:
    return {key.lower() for pairs in one.get("Condition", {}).values() for key in pairs}


def _list(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]
