"""What a look at AWS says where something may not be seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stacksets.config.model import Access, bucket_name
from stacksets.observe.clients import CannotEnter, Clients
from stacksets.observe.observe import HiddenBucket, read_bucket, reading_client
from tests.stacksets.scene import MANAGEMENT, ONE, SECURITY, wanted


class Member:
    """Organizations, as a member account sees it."""

    def describe_organization(self) -> Any:
        return {"Organization": {"MasterAccountId": MANAGEMENT}}


def of_a_member(service: str, account: str) -> Any:
    if account != ONE:
        raise CannotEnter(f"Account {account} cannot be entered by a role.")
    return Member()


CLIENTS = Clients(f"arn:aws:iam::{ONE}:user/someone", of_a_member, of_a_member)


def test_the_credentials_of_another_account_are_told_as_such() -> None:
    with pytest.raises(CannotEnter) as caught:
        reading_client(wanted(), CLIENTS)
    assert str(caught.value) == (
        f"These are the credentials of account {ONE}, and the Organization is read with its "
        f"management account's, {MANAGEMENT}: name a profile of that account in --profile."
    )
    with pytest.raises(CannotEnter) as caught:
        reading_client(replace(wanted(), deploy_from=SECURITY), CLIENTS)
    assert str(caught.value) == (
        f"These are the credentials of account {ONE}, and the Organization is read with its "
        f"delegated administrator's, {SECURITY}: name a profile of that account in --profile."
    )


def test_a_profile_of_the_file_that_leads_nowhere_is_told_by_itself() -> None:
    file = replace(wanted(), access=Access("Role", {MANAGEMENT: "mine"}))
    with pytest.raises(CannotEnter, match="cannot be entered by a role"):
        reading_client(file, CLIENTS)


def test_whoever_may_enter_the_account_reads_from_elsewhere() -> None:
    def make(_service: str, _account: str) -> Any:
        return Member()

    clients = Clients(f"arn:aws:iam::{ONE}:user/someone", make, make)
    assert isinstance(reading_client(wanted(), clients), Member)


class Bucket:
    """S3, which answers a look at a bucket with a code."""

    def __init__(self, code: str) -> None:
        self.code, self.asked = code, dict[str, str]()

    def head_bucket(self, **named: str) -> Any:
        self.asked = named
        raise ClientError({"Error": {"Code": self.code, "Message": "Forbidden"}}, "HeadBucket")


def test_a_bucket_that_may_not_be_seen_is_named_with_what_may_be_the_matter() -> None:
    client, name = Bucket("403"), bucket_name(SECURITY)
    with pytest.raises(HiddenBucket) as caught:
        read_bucket(client, SECURITY, name)
    assert client.asked == {"Bucket": name, "ExpectedBucketOwner": SECURITY}
    assert str(caught.value) == (
        f"The bucket iam-org-revoker-templates-{SECURITY} of account {SECURITY} may not be seen. "
        "Give the operator the permission s3:ListBucket on it (docs/operator-permissions.md). "
        "Whoever has it sees a stranger's bucket, since names of buckets are everybody's: choose "
        'another in the file, like bucket = "iam-org-revoker-templates-x7k2".'
    )
    assert read_bucket(Bucket("404"), SECURITY, name).exists is False
    with pytest.raises(ClientError):
        read_bucket(Bucket("503"), SECURITY, name)
