"""The private and module-level names of the emulator that the sandbox touches: one list.

Sandbox code gets and replaces these names only through this file, so that a new version of the
emulator which renames one fails here, by name, and not somewhere in the middle of a test.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Append a name here before using it; tests/sandbox/core/test_patches.py checks each.
NAMES: dict[str, tuple[str, ...]] = {
    "ministack.app": ("app", "call_service_handler_sync", "SERVICE_HANDLERS", "AUTH"),
    "ministack.core.concurrency": ("esm_wake",),
    "ministack.core.iam_actions": (
        "SERVICE_TO_IAM_NAMESPACE",
        "access_denied_response",
        "extract_iam_action",
        "extract_resource_arn",
        "identity_denial_message",
        "request_tag_context",
    ),
    "ministack.core.iam_evaluator": (
        "AuthError",
        "EvalContext",
        "EvalResult",
        "_evaluate_single_condition",
        "_gather_role_policies",
        "_gather_user_policies",
        "_permissions_boundary",
        "_principal_keys",
        "_principal_org_id",
        "_resolve_condition_key",
        "_resource_policy",
        "caller_arn",
        "enforce",
        "evaluate",
        "evaluate_resource_policy",
        "evaluate_trust_policy",
        "find_iam_access_key_account",
        "parse_policy_document",
        "pin_request_origin",
        "resolve_credential",
        "resolve_principal",
    ),
    "ministack.core.lambda_runtime": (
        "_workers",
        "execution_credentials",
        "invalidate_worker",
        "reset",
        "subprocess",
        "tempfile",
    ),
    "ministack.core.responses": ("get_account_id", "get_region", "request_scope"),
    "ministack.core.router": ("SERVICE_PATTERNS", "extract_access_key_id"),
    "ministack.services.cloudwatch": ("_dispatch_alarm_actions", "_history_entries"),
    "ministack.services.dynamodb": (
        "_put_resource_policy",
        "_resource_policies",
        "_set_item",
        "_ttl_settings",
        "_update_continuous_backups",
        "_update_table",
        "_update_ttl",
        "time",
    ),
    "ministack.services.eventbridge": (
        "_describe_event_bus",
        "_dispatch_event",
        "_event_bus_policies",
        "_event_buses",
        "_invoke_target",
        "_put_events",
        "_put_permission",
        "_put_rule",
        "_remove_permission",
        "_rule_key",
        "_rules",
        "_targets",
        "_tick_scheduled_rules",
        "time",
    ),
    "ministack.services.iam": (
        "_IAM_HANDLERS",
        "_access_keys",
        "_error",
        "_group_inline_policies",
        "_groups",
        "_instance_profiles",
        "_login_profiles",
        "_lookup_policy",
        "_mfa_devices",
        "_now",
        "_oidc_providers",
        "_policies",
        "_roles",
        "_user_inline_policies",
        "_users",
        "_virtual_mfa_xml",
        "_xml",
    ),
    "ministack.services.kms": ("_resolve_key",),
    "ministack.services.lambda_svc": (
        "_create_esm",
        "_create_function",
        "_emit_lambda_logs",
        "_esm_inflight",
        "_functions",
        "_iter_all_esms",
        "_poll_sqs",
        "_sqs_esm_concurrency",
        "_update_config",
        "executions_in_flight",
        "function_policy_for_arn",
        "invoke_async_with_retry",
    ),
    "ministack.services.scheduler": (
        "_schedule_last_fired",
        "_schedules",
        "_tick_schedules",
        "time",
    ),
    "ministack.services.sns": (
        "_HOST",
        "_PORT",
        "_deliver_to_lambda",
        "_error",
        "_fanout",
        "_list_subscriptions",
        "_list_subscriptions_by_topic",
        "_matches_filter_policy",
        "_publish",
        "_refresh_subscription_counts",
        "_resolve_message_for_protocol",
        "_set_subscription_attributes",
        "_subscribe",
        "_topic_by_arn_any_scope",
    ),
    "ministack.services.sqs": ("_queue_by_arn", "time"),
    "ministack.services.sts": ("_principal_keys", "_sessions", "register_session"),
    "ministack.services.cloudformation": ("_stack_events", "_stacks"),
    "ministack.services.cloudformation.drift": ("_DRIFT_READERS",),
    "ministack.services.cloudformation.engine": ("_parse_template", "_resolve_parameters"),
    "ministack.services.cloudformation.handlers": ("_ACTION_HANDLERS", "_required_capabilities"),
    "ministack.services.cloudformation.helpers": (
        "TEMPLATE_BODY_MAX_BYTES",
        "_error",
        "_resolve_document",
    ),
    "ministack.services.cloudformation.provisioners": (
        "_RESOURCE_HANDLERS",
        "_physical_name",
    ),
    "ministack.services.organizations": (
        "_DISPATCH",
        "_accounts",
        "_attachments",
        "_create_organizational_unit",
        "_ensure_org",
        "_orgs",
        "_ous",
        "_policies",
        "_roots",
    ),
    "ministack.services.cloudtrail": ("_DISPATCH",),
    "ministack.services.s3": ("_bucket_owner_account", "_bucket_policies", "_get_object_data"),
}

_replaced: list[tuple[str, str, Any]] = []


class MissingHook(AttributeError):
    """A name of the emulator that the sandbox needs is gone, or is not on the list above."""


def get(module: str, name: str) -> Any:
    """Answer a name of the emulator; MissingHook says which one is not there."""
    if name not in NAMES.get(module, ()):
        raise MissingHook(f"{module}.{name} is not on the list in sandbox/core/patches.py")
    found = importlib.import_module(module)
    if not hasattr(found, name):
        raise MissingHook(f"the emulator has no {module}.{name} any more")
    return getattr(found, name)


def replace(module: str, name: str, value: Any) -> Any:
    """Put `value` in the place of a name until `restore`; answer what was there."""
    original = get(module, name)
    _replaced.append((module, name, original))
    setattr(importlib.import_module(module), name, value)
    return original


def replace_entry(module: str, name: str, key: str, value: Any) -> Any:
    """Put `value` into a dispatch table of the emulator until `restore`; answer the old entry."""
    table = get(module, name)
    original = table.get(key)
    _replaced.append((module, f"{name}[{key}]", (table, key, original)))
    table[key] = value
    return original


def restore() -> None:
    """Undo every replacement, the last one first."""
    while _replaced:
        module, name, original = _replaced.pop()
        if name.endswith("]"):
            table, key, old = original
            if old is None:
                table.pop(key, None)
            else:
                table[key] = old
        else:
            setattr(importlib.import_module(module), name, original)


@contextmanager
def swapped(module: str, name: str, value: Any) -> Iterator[None]:
    """Put `value` in the place of a name for the length of a block that does not wait."""
    original = get(module, name)
    setattr(importlib.import_module(module), name, value)
    try:
        yield
    finally:
        setattr(importlib.import_module(module), name, original)
