"""Every fixed name of ours, once; no logic. Roles and bus policies pin them: they are wire format.

They never depend on a parameter: the central bus admits the revoker of 10,000 accounts by role
name, and the guardrail protects by name.
"""

from __future__ import annotations

PRODUCT = "iam-org-revoker"
VERSION = "0.1.0"
IAM_PATH = "/iam-org-revoker/"

REVOKER = "iam-org-revoker"
FORWARDER = "iam-org-revoker-forward"
DENY_POLICY = "iam-org-revoker-deny"
SESSION_DENY_POLICY = "iam-org-revoker-deny-sessions"
DENY_GROUP = "iam-org-revoker-denied"
SESSION_DENY_GROUP = "iam-org-revoker-denied-sessions"
INLINE_DENY = "iam-org-revoker-deny"
# What keeps a containment while no stack of ours is there. Out of IAM_PATH, which the guardrail
# leaves to the revoker and to StackSets.
KEPT_PATH = "/iam-org-revoker-kept/"
KEPT_POLICY = "iam-org-revoker-kept"
KEPT_SESSION_POLICY = "iam-org-revoker-kept-sessions"
KEPT_GROUP = "iam-org-revoker-kept"
KEPT_SESSION_GROUP = "iam-org-revoker-kept-sessions"
CALLS_RULE = "iam-org-revoker-calls"
TAMPER_RULE = "iam-org-revoker-tamper"
TAMPER_STORES_RULE = "iam-org-revoker-tamper-stores"
MEMBER_DEAD_LETTERS = "iam-org-revoker-dead-letters"
TRAIL = "iam-org-revoker"
STATE_TABLE = "iam-org-revoker-state"
# What writes items of the ledger; its own policy denies them to everybody but the revoker.
LEDGER_WRITES = (
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PartiQLDelete",
)
CANARY_ROLE = "iam-org-revoker-canary"
RECONCILE_SCHEDULE = "iam-org-revoker-reconcile"
RECONCILE_ROLE = "iam-org-revoker-reconcile"
# The stack's own roles: nobody may be contained because of what somebody else attached to them.
MEMBER_ROLES = (REVOKER, FORWARDER, RECONCILE_ROLE, CANARY_ROLE, f"{TRAIL}-trail")
CANARY_RULE = "iam-org-revoker-canary"
RESPONDER_ROLE = "iam-org-revoker-responder"

BUS = "iam-org-revoker"
REPORTS_RULE = "iam-org-revoker-reports"
REPORTS_QUEUE = "iam-org-revoker-reports"
REPORTS_DEAD_LETTERS = "iam-org-revoker-reports-dead-letters"
NOTIFIER = "iam-org-revoker-notifier"
INCIDENT_TABLE = "iam-org-revoker-incidents"
DUE_INDEX = "due"
LISTED_INDEX = "listed"
ACCOUNT_PREFIX = "account#"
OPENED_PREFIX = "opened#"
CENTRAL_KEY = "central"
SWEEP_RULE = "iam-org-revoker-sweep"
METRICS = "IamOrgRevoker"
UNCONFIRMED_METRIC = "UnconfirmedSubscriptions"
WAITING_METRIC = "OldestDueMailSeconds"
INCIDENT_TOPIC = "iam-org-revoker-incidents"
HEALTH_TOPIC = "iam-org-revoker-health"

# The command by which the security team releases: account and principal follow.
RELEASE_COMMAND = ("python", "-m", "responder", "release")

REPORT_SOURCE = "iam-org-revoker"
REPORT_DETAIL_TYPE = "IAM Org Revoker Report"
HEARTBEAT_DETAIL_TYPE = "IAM Org Revoker Heartbeat"


def iam_arn(*, partition: str, account: str, kind: str, name: str) -> str:
    """ARN of an IAM entity of ours: kind is role, policy or group."""
    return f"arn:{partition}:iam::{account}:{kind}{IAM_PATH}{name}"


def kept_arn(*, partition: str, account: str, kind: str, name: str) -> str:
    """ARN of an entity that keeps a containment: kind is policy or group."""
    return f"arn:{partition}:iam::{account}:{kind}{KEPT_PATH}{name}"
