"""Steps for who hears of a unit's accounts: a subscription, whose filter lists them. Pure.

Which unit an account is in only Organizations knows, and the notifier may not ask it. So `apply`
writes the accounts into SNS's filter, on the attribute `account` that every mail has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from handler.model.names import INCIDENT_TOPIC, PRODUCT
from stacksets.config.model import ADDRESSES
from stacksets.observed.model import Subscription
from stacksets.steps.guardrail import many
from stacksets.steps.inputs import Given
from stacksets.steps.model import Call, Step, StepKind

ATTRIBUTE = "account"
# Stands among the accounts in each filter of ours and is the account of no mail. By it we know our
# own subscriptions from those made by hand, and a unit without accounts has a filter that SNS
# takes: it refuses an empty list.
MARK = f"kept-by-{PRODUCT}"
# "The total combination of values in a filter policy must not exceed 150" (SNS Developer Guide,
# "Filter policy constraints", November 2026), and no quota raises it. One is the mark.
MOST = 150 - 1


@dataclass(frozen=True)
class Listener:
    """An address, the units that the file gives it (ids), and all accounts below them, sorted."""

    address: str
    units: tuple[str, ...]
    accounts: tuple[str, ...]

    @property
    def filter_policy(self) -> str:
        return json.dumps({ATTRIBUTE: [MARK, *self.accounts]})


def listeners(given: Given) -> Mapping[str, Listener]:
    """By address, whatever its letters' case: SNS has one subscription for an address, so that
    several entries of one make one. Units that do not exist are left out."""
    units: dict[str, list[str]] = {}
    spelled: dict[str, str] = {}
    for one in given.wanted.recipients:
        spelled.setdefault(one.email.casefold(), one.email)
        if unit := given.unit_id(one.unit):
            units.setdefault(one.email.casefold(), []).append(unit)
    below = given.observed.organization.below
    return {
        key: Listener(
            spelled[key],
            tuple(dict.fromkeys(found)),
            tuple(sorted({account.id for unit in found for account in below(unit)})),
        )
        for key, found in units.items()
    }


def recipient_refusals(given: Given) -> Iterator[str]:
    """What SNS would refuse, and what only a person may end."""
    seen = _seen(given)
    for key, one in listeners(given).items():
        if len(one.accounts) > MOST:
            yield (
                f"recipients: below {_units(given, one)} there are {len(one.accounts)} accounts, "
                f"and a filter of SNS takes {MOST} at most for {one.address}: name smaller units, "
                "with an address each, or subscribe that address to the whole topic by hand, "
                "without a filter, and take it out of the file."
            )
        found = seen.get(key)
        if found and found.confirmed and _listed(found) is None:
            yield (
                f"recipients: {one.address} is subscribed to {INCIDENT_TOPIC} by hand already, "
                f"without a filter or with another: end that subscription (aws sns unsubscribe "
                f"--subscription-arn {found.arn}), or take the address out of the file."
            )


def ending_steps(given: Given) -> Iterator[Step]:
    """End the subscriptions that this tool made and the file no longer names. Before the central
    stack, which may be about to subscribe the same address without our filter."""
    named = {one.email.casefold() for one in given.wanted.recipients}
    for key, found in sorted(_seen(given).items()):
        accounts = _listed(found)
        if accounts is None or MARK not in accounts or key in named:
            continue
        yield _step(
            given,
            f"End the subscription of {found.address}, whom the file no longer names",
            f"heard of {many(len(accounts) - 1, 'account')}",
            "Unsubscribe",
            {"SubscriptionArn": found.arn},
        )


def recipient_steps(given: Given) -> Iterator[Step]:
    """Subscribe who is not yet, and change the filters whose accounts are others by now."""
    seen = _seen(given)
    for key, one in listeners(given).items():
        found = seen.get(key)
        if found is None:
            yield _step(
                given,
                f"Subscribe {one.address} to the mails about {_units(given, one)}",
                f"hears of {many(len(one.accounts), 'account')}",
                "Subscribe",
                {
                    "TopicArn": _topic(given),
                    "Protocol": "email",
                    "Endpoint": one.address,
                    "Attributes": {"FilterPolicy": one.filter_policy},
                },
            )
        elif found.confirmed and _listed(found) not in (None, {MARK, *one.accounts}):
            yield _step(
                given,
                f"Change of which accounts {found.address} hears: those of {_units(given, one)}",
                f"hears of {many(len(one.accounts), 'account')}",
                "SetSubscriptionAttributes",
                {
                    "SubscriptionArn": found.arn,
                    "AttributeName": "FilterPolicy",
                    "AttributeValue": one.filter_policy,
                },
                shows=tuple(_changes(given, _listed(found) or set(), one)),
            )


def recipient_notes(given: Given) -> Iterator[str]:
    """What a plan cannot do about a recipient, or does not."""
    wanted, seen = listeners(given), _seen(given)
    for key, one in wanted.items():
        if not one.accounts:
            yield f"{one.address} hears of nothing yet: no account is below {_units(given, one)}."
        if (found := seen.get(key)) and not found.confirmed:
            yield (
                f"{one.address} has not confirmed yet, and SNS shows no filter until then: the "
                "next plan compares it."
            )
    team = {given.wanted.central.parameters.get(name, "").casefold() for name in ADDRESSES}
    for key, found in sorted(seen.items()):
        if not found.confirmed and key not in {*wanted, *team}:
            yield (
                # SNS Developer Guide, "Deleting an Amazon SNS topic and subscription".
                f"{found.address} is asked to confirm a subscription and the file does not name "
                "it: nobody can end that. AWS deletes it after 48 hours without an answer, or "
                "after 30 days where it has suspended the address for too many mails."
            )


def unconfirmed(given: Given) -> set[str]:
    """The addresses of which AWS waits for an answer once the steps are done."""
    seen = _seen(given)
    return {
        one.address
        for key, one in listeners(given).items()
        if key not in seen or not seen[key].confirmed
    }


def _seen(given: Given) -> Mapping[str, Subscription]:
    """The plain e-mail subscriptions to the incidents, by address, but for those that the central
    stack has made."""
    central = given.observed.central
    parameters = central.parameters if central else {}
    by_stack = {parameters.get(name, "").casefold() for name in ADDRESSES}
    return {
        one.address.casefold(): one
        for one in given.observed.subscriptions
        if one.topic == INCIDENT_TOPIC
        and one.protocol == "email"
        and one.address.casefold() not in by_stack
    }


def _listed(one: Subscription) -> set[str] | None:
    """What a filter lists that is of accounts and nothing else; None for any other, and none."""
    try:
        policy = json.loads(one.filter_policy or "null")
    except ValueError:
        return None
    if one.by_body or not isinstance(policy, dict) or [*policy] != [ATTRIBUTE]:
        return None
    values = policy[ATTRIBUTE]
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return None
    return set(values)


def _changes(given: Given, before: set[str], one: Listener) -> Iterator[str]:
    known = given.observed.organization.accounts
    after = set(one.accounts)
    for account in sorted((before ^ after) - {MARK}):
        name = f" ({known[account].name})" if account in known else ""
        yield f"{'+' if account in after else '-'} {account}{name}"
    if MARK not in before:
        yield "~ the filter was made by hand; from now on apply keeps it"


def _units(given: Given, one: Listener) -> str:
    return ", ".join(given.unit_name(unit) for unit in one.units)


def _topic(given: Given) -> str:
    """The topic's ARN follows from names, so that recipients can be planned before it is there."""
    where = f"{given.wanted.region}:{given.wanted.central.account}"
    return f"arn:{given.observed.partition}:sns:{where}:{INCIDENT_TOPIC}"


def _step(
    given: Given,
    says: str,
    target_text: str,
    operation: str,
    arguments: Mapping[str, object],
    *,
    shows: tuple[str, ...] = (),
) -> Step:
    call = Call(given.wanted.central.account, "sns", operation, arguments)
    return Step(
        kind=StepKind.RECIPIENT, says=says, target_text=target_text, calls=(call,), shows=shows
    )
