"""Clients that try each action once without its permission, right before it is done with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from sandbox.core.keys import Key
from stacksets.execute.executor import advice
from stacksets.observe.clients import Clients, sentence
from stacksets.permissions.operator import Place, document, permissions

# Operation -> what it asks for, where that is not called the same.
ACTIONS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("lambda", "Invoke"): ("lambda:InvokeFunction",),
    ("s3", "HeadBucket"): (),
    ("s3", "ListObjectsV2"): (),
    ("s3", "GetPublicAccessBlock"): ("s3:GetBucketPublicAccessBlock",),
    ("s3", "GetBucketEncryption"): ("s3:GetEncryptionConfiguration",),
    ("cloudformation", "DetectStackDrift"): (
        "cloudformation:DetectStackDrift",
        "cloudformation:DetectStackResourceDrift",
        "cloudformation:BatchDescribeTypeConfigurations",
    ),
}
PATH = "/iam-administrators/"


class Lacking:
    """The operator's clients. `places` names the documents that he holds in each account; `tried`
    are the actions that were refused there, each without its permission and by its name."""

    def __init__(self, box: Box, places: Mapping[str, Iterable[Place]]) -> None:
        self.box, self.places = box, places
        self.tried: set[tuple[str, str]] = set()
        self._whole = {account: self._key(account, "") for account in places}

    def clients(self) -> Clients:
        caller = f"arn:aws:sts::{self.box.management}:assumed-role/operator/somebody"
        return Clients(caller=caller, make=self._make, elsewhere=self._make)

    def documented(self, account: str) -> set[str]:
        return {one.action for place in self.places[account] for one in permissions(place)}

    def before(self, service: str, account: str, operation: str, call: str, asked: Any) -> None:
        """Do it without each permission that it takes, and be told which is missing."""
        own = (f"{service}:{operation}",)
        for action in ACTIONS.get((service, operation), own):
            if (account, action) in self.tried or action not in self.documented(account):
                continue
            self.tried.add((account, action))
            less = self.box.client(service, account, key=self._key(account, action))
            with pytest.raises(ClientError) as refused:
                getattr(less, call)(**asked)
            assert action in sentence(refused.value), (action, sentence(refused.value))
            assert advice(refused.value).startswith("Give the operator the permission"), action

    def _make(self, service: str, account: str) -> Any:
        client = self.box.client(service, account, key=self._whole[account])
        return Trying(self, client, service, account)

    def _key(self, account: str, without: str) -> Key:
        name = f"break-glass-{without.replace(':', '-')}"[:64]
        documents = [document(place, without=without) for place in self.places[account]]
        return self.box.new_session(account, name, *documents, path=PATH)


class Trying:
    """A client that is asked for everything, and lets `before` try it first."""

    def __init__(self, lacking: Lacking, client: Any, service: str, account: str) -> None:
        self._lacking, self._client = lacking, client
        self._service, self._account = service, account

    def get_paginator(self, call: str) -> Any:
        trying = self

        class Paginator:
            def paginate(self, **asked: Any) -> Iterator[Any]:
                trying._try(call, asked)
                return iter(trying._client.get_paginator(call).paginate(**asked))

        return Paginator()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name not in self._client.meta.method_to_api_mapping:
            return found

        def call(**asked: Any) -> Any:
            self._try(name, asked)
            return found(**asked)

        return call

    def _try(self, call: str, asked: Any) -> None:
        operation = self._client.meta.method_to_api_mapping[call]
        self._lacking.before(self._service, self._account, operation, call, asked)
