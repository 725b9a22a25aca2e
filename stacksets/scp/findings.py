"""Find the service control policies that block the rollout, the revoker or the central account.

One look for each combination of policies, not for each account; but for the accounts that such a
policy names, which are looked at one by one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from handler.model.cloudtrail import arn_field
from handler.model.names import PRODUCT
from stacksets.scp.evaluator import Document, Refusal, Request, parse, refusal
from stacksets.scp.operator import operator_role
from stacksets.scp.required_calls import (
    EXECUTION_ROLE,
    central_requests,
    notifier_requests,
    recipient_requests,
    revoker_requests,
    rollout_requests,
)
from stacksets.steps.guardrail import many
from stacksets.steps.inputs import Given
from stacksets.steps.stacks import DEAD

# An account's number in a policy, and a part of one with a wildcard, which may be any account's.
NUMBER = re.compile(r"(?<!\d)\d{12}(?!\d)")
PART = re.compile(r"[:\"](?:\d{1,11}[*?]|[*?]+\d)")

# The ids of the policies on each level, from the root down to the account.
Chain = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class CallsUnderPolicies:
    """Calls that are made in some accounts under the same policies. `exempt` are the ARNs that a
    policy has to let through; `where` says the accounts."""

    chain: Chain
    accounts: tuple[str, ...]
    requests: tuple[Request, ...]
    exempt: tuple[str, ...]
    central: bool = False


def control_findings(given: Given) -> Iterator[tuple[bool, str]]:
    """(whether it surely refuses, a sentence) for each service control policy in the way."""
    if not given.observed.control_policies_enabled:
        return
    documents = {one.id: parse(one.name, one.content) for one in given.observed.control_policies}
    reported: dict[
        tuple[str, str, bool, bool], tuple[Refusal, Request, set[str], CallsUnderPolicies]
    ] = {}
    for look in _looks(given, documents):
        levels = [[documents[one] for one in level] for level in look.chain]
        for request in look.requests:
            if found := refusal(levels, request):
                key = (found.policy, found.sid, found.surely, look.central)
                reported.setdefault(key, (found, request, set(), look))[2].update(look.accounts)
    for found, request, where, look in reported.values():
        yield found.surely, _blocked(found, request, where, look)


def _looks(given: Given, documents: dict[str, Document]) -> Iterator[CallsUnderPolicies]:
    attached: dict[str, list[str]] = {}
    for policy in given.observed.control_policies:
        for target in policy.targets:
            attached.setdefault(target, []).append(policy.id)
    named = {one: _accounts_named(document) for one, document in documents.items()}
    alike: dict[tuple[Chain, str], list[str]] = {}
    for ring in given.wanted.rings:
        for account in given.ring_accounts(ring):
            chain = _chain(given, attached, account)
            alone = any(_names(named[one], account) for level in chain for one in level)
            alike.setdefault((chain, account if alone else ""), []).append(account)
    for (chain, _), accounts in alike.items():
        where = _where(given, accounts[0])
        requests = (*rollout_requests(**where), *revoker_requests(**where))
        yield CallsUnderPolicies(
            chain, tuple(accounts), requests, _roles(given, "stacksets-exec-*")
        )
    organization, central = given.observed.organization, given.wanted.central.account
    # No such policy binds the management account.
    if central in organization.accounts and central != organization.management:
        yield _central(given, _chain(given, attached, central))


def _central(given: Given, chain: Chain) -> CallsUnderPolicies:
    account = given.wanted.central.account
    where, operator = _where(given, account), _operator(given, account)
    maker = given.wanted.central.service_role or operator
    seen, requests = given.observed.central, tuple(notifier_requests(**where))
    # An update makes few of these calls, and which is for AWS to say.
    if seen is None or seen.status in DEAD:
        requests = (*central_requests(operator, maker, **where), *requests)
    if given.wanted.recipients:
        requests = (*requests, *recipient_requests(operator, **where))
    unknown = f"arn:{given.observed.partition}:iam::{account}:role/THE-OPERATORS-ROLE-THERE"
    own = sorted({one or unknown for one in (operator, maker)})
    return CallsUnderPolicies(chain, (account,), requests, (*own, *_roles(given)), central=True)


def _operator(given: Given, account: str) -> str:
    """By what the operator works in the security account; "" where that is not known from here: a
    profile says no role, and a session not the path of its role."""
    own = arn_field(given.observed.caller, 4) == account
    if not own and account in given.wanted.access.profiles:
        return ""
    role = given.observed.caller if own else operator_role(given, account)
    return role if ":role/" in role or ":user/" in role else ""


def _chain(given: Given, attached: dict[str, list[str]], account: str) -> Chain:
    above = (*reversed(given.observed.organization.above(account)), account)
    return tuple(tuple(sorted(attached.get(level, ()))) for level in above)


def _where(given: Given, account: str) -> dict[str, str]:
    return {
        "account": account,
        "partition": given.observed.partition,
        "region": given.wanted.region,
        "organization": given.wanted.organization,
    }


def _accounts_named(document: Document) -> frozenset[str] | None:
    """The accounts that a policy names; None where it may be any."""
    text = json.dumps(document.statements)
    return None if PART.search(text) else frozenset(NUMBER.findall(text))


def _names(named: frozenset[str] | None, account: str) -> bool:
    return named is None or account in named


def _roles(given: Given, *names: str) -> tuple[str, ...]:
    partition = given.observed.partition
    return tuple(f"arn:{partition}:iam::*:role/{name}" for name in (*names, f"{PRODUCT}/*"))


def _blocked(found: Refusal, request: Request, accounts: set[str], look: CallsUnderPolicies) -> str:
    sure = "refuses" if found.surely else "may refuse (it has conditions that only AWS can judge)"
    where = f"{request.action} in {request.region} to {_who(request, look)}"
    if look.central:
        where += f" in the security account {request.account}"
    else:
        where += f" in {many(len(accounts), 'account')}, {min(accounts)} first"
    if found.effect == "Allow":
        return f"No service control policy allows {where}: allow it there."
    sid = f", statement {found.sid}," if found.sid else ""
    return (
        f"The service control policy {found.policy}{sid} {sure} {where}. Exempt "
        f"{'both' if len(look.exempt) == 2 else 'all of these'} in its Condition: "
        f"{exemption(look.exempt)}"
    )


def _who(request: Request, look: CallsUnderPolicies) -> str:
    if not look.central:
        return "StackSets" if EXECUTION_ROLE in request.principal else "the revoker"
    return "the notifier" if f":role/{PRODUCT}/" in request.principal else "the operator"


def exemption(roles: Iterable[str]) -> str:
    """The condition that frees these from a deny."""
    listed: Sequence[str] = [f'"{role}"' for role in roles]
    return f'"ArnNotLike": {{"aws:PrincipalArn": [{", ".join(listed)}]}}'
