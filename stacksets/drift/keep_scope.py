"""Where a plan has to know who is contained: in what is to go, and where a keeping has not ended.

Reads only. An apply that broke off between freeing and taking over leaves people under a deny that
no stack owns, in an account that looks whole from outside.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from handler.model.names import KEPT_PATH
from stacksets.observe.clients import CannotEnter, Clients, sentence
from stacksets.observe.containments import AT_ONCE, accounts_reported_of, look_into
from stacksets.steps.guardrail import many
from stacksets.steps.inputs import Given
from stacksets.steps.rings import leaving_accounts


def with_held(clients: Clients, given: Given) -> Given:
    """The same, with who is held where incidents were told of: in accounts whose stack is to go, a
    look that must succeed, and in those that keep somebody still, one that may be refused. Raises
    ClientError and CannotEnter."""
    leaving, taking_over = _leaving(given), _taking_over(given)
    if not leaving and not taking_over:
        return given
    try:
        reported = accounts_reported_of(clients, given.wanted.central.account)
    except (ClientError, CannotEnter) as error:
        if leaving:
            raise
        return replace(given, not_looked=_not_looked(error, "any account"))
    going = leaving if reported is None else leaving & reported
    kept, refused = _keeping(clients, (taking_over - leaving) & (reported or set()))
    profiled = given.wanted.access.profiles
    held = look_into(clients, going, profiled=profiled)
    try:
        held = held | look_into(clients, kept, profiled=profiled)
    except (ClientError, BotoCoreError, CannotEnter) as error:
        refused = _not_looked(error, many(len(kept), "account"))
    return replace(given, held=held, not_looked=refused)


def _leaving(given: Given) -> set[str]:
    """The accounts whose stack is to go. Nobody enters a closed one, and nothing runs there."""
    accounts = given.observed.organization.accounts
    return {
        account
        for ring in given.wanted.rings
        for account in leaving_accounts(given, ring)
        if (found := accounts.get(account)) is not None and found.status == "ACTIVE"
    }


def _taking_over(given: Given) -> set[str]:
    """The accounts in which a revoker contains again whoever is kept, or will."""
    return {
        account
        for ring in given.wanted.rings
        if ring.mode == "enforce" and ring.stack_set in given.observed.stack_sets
        for account in given.ring_accounts(ring)
    }


def _keeping(clients: Clients, accounts: set[str]) -> tuple[set[str], str]:
    """Those of the accounts that have a kept deny, by one call each, and where that could not be
    seen. It is made before anybody is kept and deleted last, so that without it nobody is."""

    def one(account: str) -> tuple[bool, Exception | None]:
        try:
            asked = {"Scope": "Local", "PathPrefix": KEPT_PATH}
            pages = clients.of("iam", account).get_paginator("list_policies").paginate(**asked)
            return any(page["Policies"] for page in pages), None
        except (ClientError, BotoCoreError, CannotEnter) as error:
            return False, error

    ordered = sorted(accounts)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        found = dict(zip(ordered, pool.map(one, ordered), strict=True))
    failed = [(account, error) for account, (_, error) in found.items() if error is not None]
    kept = {account for account, (there, _) in found.items() if there}
    if not failed:
        return kept, ""
    account, error = failed[0]
    return kept, _not_looked(error, f"{many(len(failed), 'account')} ({account} first)")


def _not_looked(error: Exception, where: str) -> str:
    why = sentence(error) if isinstance(error, ClientError | BotoCoreError) else str(error)
    return (
        f"Whether an apply that broke off has left a kept deny in {where} could not be seen: "
        f"{why.rstrip('.')}. docs/operator-permissions.md has what it takes."
    )
