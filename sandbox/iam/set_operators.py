"""A condition key of many values is compared by set operators alone.

Keys that the Service Authorization Reference types ArrayOf... are lists in a request's context,
however many values they have (IAM User Guide, "Single-valued vs. multivalued context keys").
"""

from __future__ import annotations

from typing import Any

from sandbox.core import patches

SET_OPERATORS = ("forallvalues:", "foranyvalue:", "null")


def install() -> None:
    """Let no other operator match a list, until the hooks are restored."""

    def compare(operator: str, actual: Any, expected: list[str]) -> bool:
        if isinstance(actual, list) and not operator.lower().startswith(SET_OPERATORS):
            return False
        return bool(original(operator, actual, expected))

    original = patches.replace(
        "ministack.core.iam_evaluator", "_evaluate_single_condition", compare
    )
