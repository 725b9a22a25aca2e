"""CloudFormation resource types that the emulator lacks or does by half, added to its table.

Stores what a template says; whether a bus or bucket policy lets somebody in is decided elsewhere.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

from sandbox.cloudformation.iam_provisioners import iam_handlers
from sandbox.cloudtrail.trails import install_trail_checks, trail_handlers
from sandbox.core import patches
from sandbox.core.request_context import account_now, region_now
from sandbox.core.state import State

Props = dict[str, Any]
Made = tuple[str, dict[str, Any]]
Handlers = dict[str, Any]
Create = Callable[[str, Props, str], Made]
Update = Callable[[str, Props, Props, str, str], Made]
Delete = Callable[[str, Props], None]

MODULE = "ministack.services.cloudformation.provisioners"
TABLE = "_RESOURCE_HANDLERS"
EVENTS = "ministack.services.eventbridge"
DYNAMODB = "ministack.services.dynamodb"
# The property that names a resource. Made by a second stack under the same name these overwrite
# each other in the emulator; AWS fails the second stack.
NAMED = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::EventBus": "Name",
    # By it CloudFormation knows the resource, over all buses: "Each StatementId must be unique"
    # (CloudFormation Template Reference, AWS::Events::EventBusPolicy).
    "AWS::Events::EventBusPolicy": "StatementId",
    "AWS::Events::Rule": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
}


class ResourceRefused(ValueError):
    """A resource cannot be made so; the text is what the stack event shows."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(
            f'Resource handler returned message: "{message}" '
            f"(RequestToken: {uuid.uuid4()}, HandlerErrorCode: {code})"
        )


def install_provisioners(state: State) -> None:
    """Add the types until `hooks.restore`; IAM's resources are told through `state.emit`."""
    table: dict[str, Handlers] = patches.get(MODULE, TABLE)
    added = {
        **iam_handlers(state),
        **trail_handlers(),
        "AWS::Events::EventBusPolicy": _bus_policy(state),
        "AWS::Events::EventBus": _bus(state, table["AWS::Events::EventBus"]),
        "AWS::DynamoDB::Table": _dynamodb_table(table["AWS::DynamoDB::Table"]),
        "AWS::CloudWatch::Alarm": _alarm(table["AWS::CloudWatch::Alarm"]),
    }
    for kind in NAMED:
        added[kind] = _one_owner(kind, added.get(kind) or table[kind])
    for kind, handlers in added.items():
        patches.replace_entry(MODULE, TABLE, kind, {**table.get(kind, {}), **handlers})
    install_trail_checks()


def _bus_policy(state: State) -> Handlers:
    def create(_logical_id: str, props: Props, _stack: str) -> Made:
        bus = props.get("EventBusName") or "default"
        if bus != "default" and bus not in patches.get(EVENTS, "_event_buses"):
            raise ResourceRefused(f"Event bus {bus} does not exist.", "NotFound")
        _set_statement(state, bus, props["StatementId"], _statement(bus, props))
        return f"{bus}|{props['StatementId']}", {}

    def update(made: str, old: Props, new: Props, stack: str, logical_id: str = "") -> Made:
        created = create(logical_id, new, stack)
        if created[0] != made:
            delete(made, old)
        return created

    def delete(_made: str, props: Props) -> None:
        _set_statement(state, props.get("EventBusName") or "default", props["StatementId"], None)

    return _handlers(create, update, delete)


def _statement(bus: str, props: Props) -> Props:
    """The whole statement: given as one, or by the older Action, Principal and Condition."""
    statement = props.get("Statement")
    if statement is None:
        principal = props["Principal"]
        condition = props.get("Condition")
        return {
            "Effect": "Allow",
            "Principal": principal if principal == "*" else {"AWS": principal},
            "Action": props.get("Action", "events:PutEvents"),
            "Resource": _bus_arn(bus),
            **(
                {"Condition": {condition["Type"]: {condition["Key"]: condition["Value"]}}}
                if condition
                else {}
            ),
        }
    statement = json.loads(statement) if isinstance(statement, str) else statement
    lacking = [key for key in ("Effect", "Principal", "Action", "Resource") if key not in statement]
    if lacking:
        raise ResourceRefused(f"The policy statement lacks {', '.join(lacking)}.", "InvalidRequest")
    return dict(statement)


def _bus(state: State, plain: Handlers) -> Handlers:
    def settle(bus: str, old: Props, new: Props) -> None:
        for number, _ in enumerate(_statements(old)):
            _set_statement(state, bus, _sid(_statements(old)[number], number), None)
        for number, statement in enumerate(_statements(new)):
            _set_statement(state, bus, _sid(statement, number), statement)

    def create(logical_id: str, props: Props, stack: str) -> Made:
        made: Made = plain["create"](logical_id, props, stack)
        settle(made[0], {}, props)
        return made

    def update(made: str, old: Props, new: Props, stack: str, _logical_id: str = "") -> Made:
        updated: Made = plain["update"](made, old, new, stack)
        settle(updated[0], old if updated[0] == made else {}, new)
        return updated

    def delete(made: str, props: Props) -> None:
        settle(made, props, {})
        plain["delete"](made, props)

    return _handlers(create, update, delete)


def _statements(props: Props) -> list[Props]:
    policy = props.get("Policy") or {}
    policy = json.loads(policy) if isinstance(policy, str) else policy
    statements = policy.get("Statement", [])
    return statements if isinstance(statements, list) else [statements]


def _sid(statement: Props, number: int) -> str:
    return str(statement.get("Sid") or f"statement-{number}")


def _set_statement(state: State, bus: str, statement_id: str, statement: Props | None) -> None:
    arn = _bus_arn(bus)
    state.set_bus_statement(arn, statement_id, statement)
    # DescribeEventBus answers from the emulator's own store.
    shown = patches.get(EVENTS, "_event_bus_policies")
    if arn in state.bus_policies:
        shown[bus] = state.bus_policies[arn]
    else:
        shown.pop(bus, None)


def _bus_arn(bus: str) -> str:
    return f"arn:aws:events:{region_now()}:{account_now()}:event-bus/{bus}"


def _dynamodb_table(plain: Handlers) -> Handlers:
    def settle(table: str, arn: str, old: Props, new: Props) -> None:
        for prop, action in (
            ("TimeToLiveSpecification", "_update_ttl"),
            ("PointInTimeRecoverySpecification", "_update_continuous_backups"),
            ("SSESpecification", "_update_table"),
        ):
            if new.get(prop) and new.get(prop) != old.get(prop):
                given = {key: _truth(value) for key, value in new[prop].items()}
                if prop == "SSESpecification":
                    given["Enabled"] = given.pop("SSEEnabled")
                _ask(action, {"TableName": table, prop: given})
        policy = new.get("ResourcePolicy")
        if policy and policy != old.get("ResourcePolicy"):
            document = json.dumps(policy["PolicyDocument"])
            _ask("_put_resource_policy", {"ResourceArn": arn, "Policy": document})
        elif not policy and old.get("ResourcePolicy"):
            patches.get(DYNAMODB, "_resource_policies").pop(arn, None)

    def create(logical_id: str, props: Props, stack: str) -> Made:
        made: Made = plain["create"](logical_id, props, stack)
        settle(made[0], made[1]["Arn"], {}, props)
        return made

    def update(made: str, old: Props, new: Props, stack: str, logical_id: str = "") -> Made:
        # The emulator would hand on SSESpecification in CloudFormation's words (SSEEnabled).
        without = [{k: v for k, v in one.items() if k != "SSESpecification"} for one in (old, new)]
        updated: Made = plain["update"](made, without[0], without[1], stack, logical_id)
        settle(updated[0], updated[1]["Arn"], old if updated[0] == made else {}, new)
        return updated

    def delete(made: str, props: Props) -> None:
        arn = f"arn:aws:dynamodb:{region_now()}:{account_now()}:table/{made}"
        patches.get(DYNAMODB, "_resource_policies").pop(arn, None)
        plain["delete"](made, props)

    return _handlers(create, update, delete)


def _ask(action: str, request: Props) -> None:
    status, _, body = patches.get(DYNAMODB, action)(request)
    if status >= 300:
        raise ResourceRefused(json.loads(body).get("message", ""), "InvalidRequest")


def _truth(value: Any) -> Any:
    """Template booleans may arrive as text."""
    return value == "true" if value in ("true", "false") else value


def _alarm(plain: Handlers) -> Handlers:
    """Metric math is stored, and evaluated on its first metric alone."""

    def single(props: Props) -> Props:
        metrics = props.get("Metrics")
        if not metrics:
            return props
        first = next(one["MetricStat"] for one in metrics if "MetricStat" in one)
        kept = {key: value for key, value in props.items() if key != "Metrics"}
        statistic = {"Statistic": first["Stat"], "Period": first["Period"]}
        return {**kept, **statistic, **first["Metric"]}

    def create(logical_id: str, props: Props, stack: str) -> Made:
        made: Made = plain["create"](logical_id, single(props), stack)
        return made

    def update(made: str, old: Props, new: Props, stack: str, logical_id: str = "") -> Made:
        updated: Made = plain["update"](made, single(old), single(new), stack, logical_id)
        return updated

    return _handlers(create, update, plain["delete"])


def _one_owner(kind: str, plain: Handlers) -> Handlers:
    def create(logical_id: str, props: Props, stack: str) -> Made:
        name = props.get(NAMED[kind])
        for other in patches.get("ministack.services.cloudformation", "_stacks").values():
            for title, one in other.get("_resources", {}).items():
                same = one["ResourceType"] == kind and one["Properties"].get(NAMED[kind]) == name
                if name and same and (other["StackName"], title) != (stack, logical_id):
                    raise ResourceRefused(
                        f"{name} already exists in stack {other['StackId']}", "AlreadyExists"
                    )
        made: Made = plain["create"](logical_id, props, stack)
        return made

    return {**plain, "create": create}


def _handlers(create: Create, update: Update, delete: Delete) -> Handlers:
    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}
