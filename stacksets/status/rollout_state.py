"""What the rollout did to an account, against what the file and this version ask for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from handler.model.fingerprint import settings_fingerprint
from handler.model.names import BUS
from handler.model.settings import KNOBS, read_settings
from stacksets.config.model import MANAGEMENT_STACK, Ring
from stacksets.observed.model import Instance, Stack, StackSet
from stacksets.status.findings import Rolled
from stacksets.status.inputs import StatusInputs

FAILED_DETAILS = ("FAILED", "CANCELLED", "INOPERABLE")
UNDER_WAY_DETAILS = ("PENDING", "RUNNING")
# The stack stands again as it was before an update or import that failed.
RETURNED = ("UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE")


def rolled_by_set(inputs: StatusInputs, ring: Ring) -> Rolled:
    """What is true of the whole set."""
    found = inputs.stack_sets.get(ring.stack_set)
    source = f"StackSet {ring.stack_set}"
    if found is None:
        return Rolled(source)
    return Rolled(
        source,
        old=_difference(inputs, found, ring.parameters),
        settings=_settings_of(found.parameters),
    )


def rolled_by_instance(instance: Instance, whole: Rolled) -> Rolled:
    """What is true of one account of the set, beside `whole`."""
    behind = "has not brought its newest state there." if instance.status == "OUTDATED" else ""
    return replace(
        whole,
        under_way=instance.detail in UNDER_WAY_DETAILS,
        failed=instance.detail in FAILED_DETAILS or instance.status == "INOPERABLE",
        reason=instance.reason,
        drifted=instance.drift == "DRIFTED",
        old=whole.old or behind,
    )


def rolled_by_stack(inputs: StatusInputs) -> Rolled | None:
    """What is true of the management account's own stack; None where there is none to be seen."""
    stack = inputs.management_stack
    if stack is None:
        return None
    old = _difference(inputs, stack, inputs.wanted.management.parameters)
    # Rolled back, it works with the template it had: only whoever asks for another is disappointed.
    returned = stack.status in RETURNED and not old
    return Rolled(
        f"Stack {MANAGEMENT_STACK}",
        under_way=stack.status.endswith("_IN_PROGRESS"),
        failed=stack.status.endswith(("FAILED", "ROLLBACK_COMPLETE")) and not returned,
        reason=stack.reason or stack.status,
        drifted=stack.drift == "DRIFTED",
        old=old,
        settings=_settings_of(stack.parameters),
    )


def _difference(inputs: StatusInputs, found: StackSet | Stack, wanted: Mapping[str, str]) -> str:
    """Wherein it is not what the file and this version ask for, "" for nothing."""
    if found.digest != inputs.digest:
        return "has another template than this version's."
    asked = {**wanted, "CentralBusArn": bus_arn(inputs)}
    other = sorted(name for name, value in asked.items() if found.parameters.get(name) != value)
    return f"has other parameters than the file: {', '.join(other)}." if other else ""


def bus_arn(inputs: StatusInputs) -> str:
    """The ARN of the central bus, by its fixed name."""
    wanted = inputs.wanted
    return f"arn:{inputs.partition}:events:{wanted.region}:{wanted.central.account}:event-bus/{BUS}"


def _settings_of(parameters: Mapping[str, str]) -> str:
    """The fingerprint that a heartbeat carries under these parameters, "" for unreadable ones."""
    given = {
        knob.variable: parameters[knob.parameter] for knob in KNOBS if knob.parameter in parameters
    }
    try:
        return settings_fingerprint(read_settings(given))
    except ValueError:
        return ""
