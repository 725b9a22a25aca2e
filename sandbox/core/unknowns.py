"""The answers of AWS that no page of its documentation gives: one switch for each. Holds values.

The product has to be right under both answers of each. A default is the answer that we think
likelier; tests play the other one too, and `docs/limits.md` names what only AWS can tell.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unknowns:
    """How this AWS answers. True is the likelier answer of each.

    `forwarded_events_carry_source`: an event that a rule forwards by role to another bus carries
    `events:source` when the policy of that bus is judged.
    `alarms_send_source_account`: CloudWatch sends `aws:SourceAccount` to KMS when an alarm
    publishes to an encrypted topic.
    `history_finds_users`: LookupEvents by ResourceName finds the events of an IAM user.
    `filtered_units_are_listed`: a StackSet's `OrganizationalUnitIds` holds also the units that were
    given with a filter of accounts, or that held no account.
    `empty_units_are_accepted`: CreateStackInstances takes units without an account. That people saw
    (github.com/pulumi/pulumi-aws/issues/2839), and no page says it.
    """

    forwarded_events_carry_source: bool = True
    alarms_send_source_account: bool = True
    history_finds_users: bool = True
    filtered_units_are_listed: bool = True
    empty_units_are_accepted: bool = True


LIKELY = Unknowns()
UNLIKELY = Unknowns(
    forwarded_events_carry_source=False,
    alarms_send_source_account=False,
    history_finds_users=False,
    filtered_units_are_listed=False,
    empty_units_are_accepted=False,
)
