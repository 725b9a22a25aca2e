"""Look at what a rollout touches, with no call for each account. Reads only, and judges nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from stacksets.config.model import (
    BUCKETS,
    CENTRAL_STACK,
    MANAGEMENT_STACK,
    Trail,
    Wanted,
    bucket_name,
)
from stacksets.observe.clients import CannotEnter, Clients
from stacksets.observe.stacks import read_stack, read_stack_sets
from stacksets.observe.subscriptions import read_subscriptions
from stacksets.observed.model import Bucket, ControlPolicy, Observed, TrailSeen
from stacksets.observed.organization import Organization, read_organization

STACKSETS_SERVICE = "member.org.stacksets.cloudformation.amazonaws.com"
NOT_FOUND = ("404", "NoSuchBucket")
FORBIDDEN = ("403", "AccessDenied")


class NotDelegated(Exception):
    """The account that should deploy may not; the message has the commands that let it."""


class HiddenBucket(Exception):
    """A bucket for templates that may not be seen; the message says whose it may be."""


def observe(wanted: Wanted, clients: Clients) -> Observed:
    """Everything that `plan` needs, for an Organization of any size. Raises ClientError, and
    CannotEnter for an account that has to be entered, NotDelegated for one that may not deploy,
    HiddenBucket."""
    own = reading_client(wanted, clients)
    organization = seen_organization(wanted, own)
    deploying = deploying_account(wanted, organization)
    cloudformation = clients.of("cloudformation", deploying)
    enters_management = not wanted.delegated
    central = read_stack(
        clients.of("cloudformation", wanted.central.account), wanted.central.account, CENTRAL_STACK
    )
    management = organization.management
    return Observed(
        organization=organization,
        caller=clients.caller,
        partition=clients.partition,
        stack_sets_trusted=_trusted(cloudformation, wanted.call_as),
        delegated_administrators=frozenset(_delegated(own)),
        control_policies_enabled=_policies_enabled(own),
        control_policies=tuple(read_control_policies(own)),
        trails=(
            read_trails(clients.of("cloudtrail", deploying))
            if wanted.trail is Trail.ORGANIZATION
            else ()
        ),
        buckets={
            account: read_bucket(
                clients.of("s3", account), account, bucket_name(account, wanted.bucket)
            )
            for account in bucket_accounts(wanted, organization)
        },
        central=central,
        subscriptions=tuple(
            read_subscriptions(
                lambda: clients.of("sns", wanted.central.account), wanted.central.account, central
            )
        ),
        stack_sets=read_stack_sets(cloudformation, call_as=wanted.call_as),
        management_seen=enters_management,
        management_stack=(
            read_stack(clients.of("cloudformation", management), management, MANAGEMENT_STACK)
            if enters_management
            else None
        ),
        s3=str(clients.of("s3", deploying).meta.endpoint_url),
    )


def deploying_account(wanted: Wanted, organization: Organization) -> str:
    """The account whose StackSets these are."""
    return wanted.deploy_from if wanted.delegated else organization.management


def bucket_accounts(wanted: Wanted, organization: Organization) -> tuple[str, ...]:
    """The accounts that need a bucket of templates: CloudFormation reads with the caller's own."""
    return tuple(sorted({deploying_account(wanted, organization), wanted.central.account}))


def read_control_policies(client: Any) -> Iterator[ControlPolicy]:
    """Every service control policy with its targets: calls for each policy, none for accounts."""
    kind = "SERVICE_CONTROL_POLICY"
    for page in client.get_paginator("list_policies").paginate(Filter=kind):
        for row in page["Policies"]:
            targets = client.get_paginator("list_targets_for_policy").paginate(PolicyId=row["Id"])
            yield ControlPolicy(
                id=row["Id"],
                name=row["Name"],
                content=client.describe_policy(PolicyId=row["Id"])["Policy"]["Content"],
                targets=tuple(one["TargetId"] for part in targets for one in part["Targets"]),
            )


def reading_client(wanted: Wanted, clients: Clients) -> Any:
    """The client by which the Organization is read. Raises ClientError, and CannotEnter with the
    advice to take other credentials, which a role there would seldom replace."""
    account = _reading_account(wanted, clients)
    try:
        return clients.of("organizations", account)
    except CannotEnter as error:
        if account in wanted.access.profiles:
            raise
        whose = "its delegated administrator's" if wanted.delegated else "its management account's"
        raise CannotEnter(
            f"These are the credentials of account {clients.account}, and the Organization is read "
            f"with {whose}, {account}: name a profile of that account in --profile."
        ) from error


def _reading_account(wanted: Wanted, clients: Clients) -> str:
    """The account from which the Organization is read, before its management account is known."""
    if wanted.delegated:
        return wanted.deploy_from
    about = clients.of("organizations", clients.account).describe_organization()
    return str(about["Organization"]["MasterAccountId"])


def seen_organization(wanted: Wanted, client: Any) -> Organization:
    """The Organization by a client of the reading account. Raises ClientError and NotDelegated."""
    try:
        return read_organization(client)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException" or not wanted.delegated:
            raise
        raise NotDelegated(
            f"Account {wanted.deploy_from} is no delegated administrator of StackSets, or these "
            "credentials may not read the Organization. A person of the management account runs:\n"
            "  aws cloudformation activate-organizations-access\n"
            "  aws organizations register-delegated-administrator "
            f"--account-id {wanted.deploy_from} --service-principal {STACKSETS_SERVICE}"
        ) from error


def _trusted(client: Any, call_as: str) -> bool:
    return bool(client.describe_organizations_access(CallAs=call_as)["Status"] == "ENABLED")


def _delegated(client: Any) -> Iterator[str]:
    pages = client.get_paginator("list_delegated_administrators")
    for page in pages.paginate(ServicePrincipal=STACKSETS_SERVICE):
        yield from (row["Id"] for row in page["DelegatedAdministrators"])


def _policies_enabled(client: Any) -> bool:
    kinds = client.list_roots()["Roots"][0].get("PolicyTypes", ())
    return {"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"} in kinds


def read_trails(client: Any) -> tuple[TrailSeen, ...]:
    """The trails that an account sees, the Organization's among them. Raises ClientError."""
    return tuple(
        TrailSeen(
            name=row["Name"],
            of_organization=row.get("IsOrganizationTrail", False),
            multi_region=row.get("IsMultiRegionTrail", False),
            home=row.get("HomeRegion", ""),
            logging=client.get_trail_status(Name=row["TrailARN"])["IsLogging"],
            global_events=row.get("IncludeGlobalServiceEvents", False),
            writes=_logs_writes(client, row["TrailARN"]),
        )
        for row in client.describe_trails(includeShadowTrails=True)["trailList"]
    )


def _logs_writes(client: Any, trail: str) -> bool:
    """Whether a trail takes management events that are no reads."""
    try:
        reported = client.get_event_selectors(TrailName=trail)
    except ClientError as error:
        # AWS does not say whether a member may ask it of the Organization's; the self-test tells.
        if error.response["Error"]["Code"] == "TrailNotFoundException":
            return True
        raise
    classic = any(
        one.get("IncludeManagementEvents", True) and one.get("ReadWriteType", "All") != "ReadOnly"
        for one in reported.get("EventSelectors", ())
    )
    return classic or any(
        _takes_writes(one["FieldSelectors"]) for one in reported.get("AdvancedEventSelectors", ())
    )


def _takes_writes(fields: Any) -> bool:
    """Whether an advanced selector takes them; one of IAM's name or source is not looked into."""
    wanted = {one["Field"]: one.get("Equals") for one in fields}
    return wanted.get("eventCategory") == ["Management"] and wanted.get("readOnly") != ["true"]


def read_bucket(client: Any, account: str, name: str) -> Bucket:
    """The account's bucket of that name, also where there is none. Raises ClientError and
    HiddenBucket."""
    # Names of buckets are everybody's: without the owner, a stranger's would do.
    named = {"Bucket": name, "ExpectedBucketOwner": account}
    try:
        client.head_bucket(**named)
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_FOUND:
            return Bucket(account, name, False, False, False, frozenset())
        if error.response["Error"]["Code"] in FORBIDDEN:
            # HeadBucket says no more than 403, whoever the bucket belongs to.
            raise HiddenBucket(
                f"The bucket {name} of account {account} may not be seen. Give the operator the "
                "permission s3:ListBucket on it (docs/operator-permissions.md). Whoever has it "
                "sees a stranger's bucket, since names of buckets are everybody's: choose another "
                f'in the file, like bucket = "{BUCKETS}-x7k2".'
            ) from error
        raise
    pages = client.get_paginator("list_objects_v2").paginate(**named)
    keys = frozenset(row["Key"] for page in pages for row in page.get("Contents", ()))
    return Bucket(account, name, True, _private(client, named), _encrypted(client, named), keys)


def _private(client: Any, named: dict[str, str]) -> bool:
    try:
        found = client.get_public_access_block(**named)["PublicAccessBlockConfiguration"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchPublicAccessBlockConfiguration":
            return False
        raise
    return len(found) == 4 and all(found.values())


def _encrypted(client: Any, named: dict[str, str]) -> bool:
    try:
        client.get_bucket_encryption(**named)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ServerSideEncryptionConfigurationNotFoundError":
            return False
        raise
    return True
