"""The throw-away principals of one attack: made by the operator, or by who plays the attacker."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stacksets.prove.attacks.actor import Actor
from stacksets.prove.attacks.scene import PATH, PROVIDER_HOST, Scene

# What a policy of the proof allows that is there to be attached: nobody gains anything by it.
HARMLESS = ("s3:ListAllMyBuckets",)


@dataclass
class Cast:
    """`names`, `ids`, and `actors` go by the words that a row uses; `number` tells rows apart."""

    scene: Scene
    number: int
    names: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)

    @property
    def operator(self) -> Actor:
        """IAM as the operator calls it, an administrator of the account."""
        return Actor(self.scene.iam, self.scene.waiting.sleep)

    def __getitem__(self, word: str) -> str:
        return self.names[word]

    def by(self, word: str = "mallory") -> Actor:
        """IAM as the owner of a key calls it."""
        return self.actors[word]

    def name(self, word: str) -> str:
        """A name that nobody had before."""
        self.names[word] = f"proof-{self.scene.run}-{self.number}-{word}"
        return self.names[word]

    def user(
        self, word: str, *actions: str, by: Actor | None = None, groups: tuple[str, ...] = ()
    ) -> None:
        """Make a user; with `actions` it may do these and has a key, with which it calls."""
        iam = by or self.operator
        made = iam.create_user(UserName=self.name(word), Path=PATH)["User"]
        self.ids[word] = made["UserId"]
        if actions:
            iam.put_user_policy(
                UserName=self[word], PolicyName="may", PolicyDocument=document(*actions)
            )
            self.key(word)
        for group in groups:
            iam.add_user_to_group(GroupName=group, UserName=self[word])

    def key(self, word: str, *, awaits_policy: bool = True) -> None:
        """Give a user an access key, with which it calls from now on."""
        made = self.operator.create_access_key(UserName=self[word])["AccessKey"]
        self.names[f"{word}s-key"] = made["AccessKeyId"]
        self._opens(word, made, awaits_policy=awaits_policy)

    def role(self, word: str, *actions: str, by: Actor | None = None, trusts: str = "") -> None:
        """Make a role that Lambda may assume, or the account with the id `trusts`."""
        made = (by or self.operator).create_role(
            RoleName=self.name(word), Path=PATH, AssumeRolePolicyDocument=self.trust(trusts)
        )["Role"]
        self.ids[word], self.names[f"{word}s-arn"] = made["RoleId"], made["Arn"]
        if actions:
            (by or self.operator).put_role_policy(
                RoleName=self[word], PolicyName="may", PolicyDocument=document(*actions)
            )

    def session(self, word: str) -> None:
        """Open a session of a role that trusts this account, with which it calls from now on."""
        assume = Actor(self.scene.sts, self.scene.waiting.sleep).assume_role
        given = assume(RoleArn=self[f"{word}s-arn"], RoleSessionName="proof")["Credentials"]
        self._opens(word, given, awaits_policy=True)

    def _opens(self, word: str, key: Mapping[str, str], *, awaits_policy: bool) -> None:
        opened, sleep = self.scene.by_key(key), self.scene.waiting.sleep
        self.actors[word] = Actor(opened, sleep, awaits_policy=awaits_policy)

    def group(self, word: str) -> None:
        self.operator.create_group(GroupName=self.name(word), Path=PATH)

    def policy(self, word: str, *, effect: str = "Allow") -> None:
        """Make a managed policy; the word is its ARN."""
        made = self.operator.create_policy(
            PolicyName=self.name(word),
            Path=PATH,
            PolicyDocument=document(*HARMLESS, effect=effect),
        )
        self.names[word] = made["Policy"]["Arn"]

    def provider(self, word: str, by: Actor) -> None:
        """Make an OIDC provider of a host that nobody has; the word is its ARN."""
        made = by.create_open_id_connect_provider(
            Url=f"https://{self.name(word)}.{PROVIDER_HOST}",
            ClientIDList=["sts.amazonaws.com"],
            # With a thumbprint IAM asks nobody for the provider's certificate (API Reference,
            # CreateOpenIDConnectProvider).
            ThumbprintList=["0123456789abcdef0123456789abcdef01234567"],
        )
        self.names[word] = made["OpenIDConnectProviderArn"]

    def trust(self, account: str = "") -> str:
        """A trust policy: Lambda's, or that of the account with this id."""
        root = {"AWS": f"arn:{self.scene.partition}:iam::{account}:root"}
        service = {"Service": "lambda.amazonaws.com"}
        return statement({"Principal": root if account else service}, "sts:AssumeRole")

    def aws_policy(self) -> str:
        """A managed policy of AWS's own."""
        return f"arn:{self.scene.partition}:iam::aws:policy/IAMReadOnlyAccess"


def document(*actions: str, effect: str = "Allow") -> str:
    """A policy about these actions on everything."""
    return statement({"Resource": "*"}, *actions, effect=effect)


def statement(more: Mapping[str, Any], *actions: str, effect: str = "Allow") -> str:
    """A policy document of one statement."""
    one = {"Effect": effect, "Action": list(actions), **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [one]})


def public_key() -> str:
    """An RSA public key in the form of SSH, whose private key nobody has (RFC 4253, 6.6)."""
    modulus = b"\x00\xc1" + secrets.token_bytes(254) + b"\x01"
    parts = (b"ssh-rsa", b"\x01\x00\x01", modulus)
    body = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return f"ssh-rsa {base64.b64encode(body).decode()}"
