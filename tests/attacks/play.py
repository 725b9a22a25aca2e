"""One attack being played: its people and their keys, what they call, and what is seen of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import awscli
from awscli.clidriver import create_clidriver

from handler.model.names import DENY_GROUP, DENY_POLICY, SESSION_DENY_POLICY, STATE_TABLE, iam_arn
from handler.model.report import Report, from_detail
from sandbox.box import Box
from sandbox.core.keys import REGION, Key
from sandbox.core.state import Record
from sandbox.demo.product_setup import ADMINISTRATORS, Stage, is_denied

REPORTS_SEEN = "reports-seen"
REVOKER_SESSION = "assumed-role/iam-org-revoker/"


@dataclass
class Inbox:
    """Every report that reached the central bus, read by a rule and a queue of our own."""

    box: Box
    reports: list[Report] = field(default_factory=list)

    def read(self) -> list[Report]:
        """All reports so far; wait for quiet before."""
        sqs = self.box.client("sqs", self.box.security)
        url = sqs.get_queue_url(QueueName=REPORTS_SEEN)["QueueUrl"]
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                self.reports.append(from_detail(json.loads(message["Body"])["detail"]))
        return self.reports


@dataclass
class Play:
    """Who plays, in one account; `names` and `keys` go by the words that a row uses for them."""

    stage: Stage
    account: str
    number: int
    inbox: Inbox
    administrator: Key
    names: dict[str, str] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)

    @property
    def box(self) -> Box:
        return self.stage.box

    @property
    def quiet(self) -> Any:
        """IAM as the sandbox itself calls it: nothing is recorded."""
        return self.box.client("iam", self.account)

    @property
    def alice(self) -> Any:
        """IAM as an administrator of the account calls it."""
        return self.box.client("iam", key=self.administrator)

    def __getitem__(self, word: str) -> str:
        return self.names[word]

    def fill(self, text: str) -> str:
        """The words in a text replaced by this play's names."""
        for word, name in {**self.names, "account": self.account}.items():
            text = text.replace(f"{{{word}}}", name)
        return text

    def name(self, word: str) -> str:
        """A name that nobody had before."""
        self.names[word] = f"{word}-{self.number}"
        return self.names[word]

    def user(self, word: str, *policies: Any, groups: tuple[str, ...] = ()) -> str:
        """Make a user; her own key is the word's, its id the word's with `s-key`."""
        key = self.box.new_user(self.account, self.name(word), *policies, groups=groups)
        self.keys[word], self.names[f"{word}s-key"] = key, key.access_key
        return self.names[word]

    def role(self, word: str, *policies: Any, path: str = "/", name: str = "") -> str:
        """Make a role; the word's key is a session of it."""
        self.names[word] = name or self.name(word)
        self.keys[word] = self.box.new_session(
            self.account, self.names[word], *policies, path=path, session="eve"
        )
        return self.names[word]

    def colleague(self, word: str) -> str:
        """Make one more administrator, as an administrator does."""
        self.user(word, "iam:*")
        self.alice.add_user_to_group(GroupName=ADMINISTRATORS, UserName=self[word])
        self.box.settle()
        # Nobody adds others within the second in which she was added (docs/limits.md).
        self.box.advance(1)
        return self[word]

    def policy(self, word: str, *actions: str) -> str:
        """Make a managed policy; the word is its ARN."""
        made = self.quiet.create_policy(
            PolicyName=self.name(word), PolicyDocument=document(*actions or ("s3:*",))
        )
        self.names[word] = made["Policy"]["Arn"]
        return self.names[word]

    def iam(self, word: str) -> Any:
        """IAM as the owner of a key calls it."""
        return self.box.client("iam", key=self.keys[word])

    def keep_key(self, word: str, made: Any) -> None:
        """Remember a new key as the word's; its id is the word's, or with `s-key` a person's."""
        self.names[f"{word}s-key" if word in self.names else word] = made["AccessKeyId"]
        self.keys[word] = Key(
            made["AccessKeyId"], made["SecretAccessKey"], made.get("SessionToken")
        )

    def console(self, word: str, user: str, **how: Any) -> None:
        """Sign a user in to the console; the session's key is the word's."""
        self.keys[word] = self.box.console_session(self.account, self[user], **how)

    def refused(self, word: str) -> bool:
        """Whether IAM refuses the next call with this key, or does not know the key any more."""
        iam = self.iam(word)
        try:
            return is_denied(iam.list_users)
        except iam.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "InvalidClientTokenId":
                raise
            return True

    def run(self, command: tuple[str, ...], key: Key | None = None) -> int:
        """Run `aws ...` with a key, the administrator's by default; its exit code."""
        signed = key or self.administrator
        driver = create_clidriver()
        # The sandbox clears AWS's variables, the command line's own among them.
        loader = driver.session.get_component("data_loader")
        loader.search_paths.append(str(Path(awscli.__file__).parent / "data"))
        driver.session.set_credentials(signed.access_key, signed.secret, signed.token)
        endpoint = (f"--endpoint-url={self.box.endpoint}", f"--region={REGION}")
        return int(driver.main([*command[1:], *endpoint]))

    def reconcile(self, *, after: float = 0.0) -> None:
        """Send the revoker of the account round, as its schedule does, some seconds later."""
        self.box.advance(after)
        # What is due goes first: at its own time it could hide a letter from the next round.
        self.box.tick()
        self.box.settle()
        answered = self.box.client("lambda", self.account).invoke(
            FunctionName="iam-org-revoker", Payload=json.dumps({"reconcile": True})
        )
        said = json.loads(answered["Payload"].read())
        assert "FunctionError" not in answered, said
        self.box.settle()

    def hear(self) -> list[Report]:
        """Wait for quiet; the reports on this account since the last time, one for each event.

        Calls are judged once more by retries and reconciliations, those of the plays before too.
        """
        self.box.settle()
        known = len(self.inbox.reports)
        heard = {report.event_id for report in self.inbox.reports}
        fresh = {report.event_id: report for report in self.inbox.read()[known:]}
        self.reports = [
            report
            for event_id, report in fresh.items()
            if report.account == self.account and event_id not in heard
        ]
        return self.reports

    def marks(self) -> dict[str, set[str]]:
        """Names by mark, of all whom the state table of the account knows."""
        found: dict[str, set[str]] = {"contained": set(), "sessions": set(), "tainted": set()}
        pages = self.box.client("dynamodb", self.account).get_paginator("scan")
        for page in pages.paginate(TableName=STATE_TABLE):
            for item in page["Items"]:
                for mark in found.keys() & item.keys():
                    if item["pk"]["S"].startswith("principal#"):
                        found[mark].add(item["name"]["S"])
        return found

    def policies_of(self, word: str, kind: str) -> set[str]:
        """ARNs of what is attached to a user or role."""
        iam, name = self.quiet, self.names[word]
        if kind == "user":
            attached = iam.list_attached_user_policies(UserName=name)
        else:
            attached = iam.list_attached_role_policies(RoleName=name)
        return {policy["PolicyArn"] for policy in attached["AttachedPolicies"]}

    def is_held(self, word: str) -> bool:
        """Whether a deny of ours is on this user or role: policy, group or boundary."""
        iam, name = self.quiet, self.names[word]
        if name in {user["UserName"] for user in iam.list_users()["Users"]}:
            groups = iam.list_groups_for_user(UserName=name)["Groups"]
            held = self.deny in self.policies_of(word, "user")
            return held or DENY_GROUP in {group["GroupName"] for group in groups}
        boundary = iam.get_role(RoleName=name)["Role"].get("PermissionsBoundary", {})
        held = self.deny in self.policies_of(word, "role")
        return held or boundary.get("PermissionsBoundaryArn") == self.deny

    @property
    def deny(self) -> str:
        return iam_arn(partition="aws", account=self.account, kind="policy", name=DENY_POLICY)

    @property
    def session_deny(self) -> str:
        return iam_arn(
            partition="aws", account=self.account, kind="policy", name=SESSION_DENY_POLICY
        )

    def members(self, group: str = ADMINISTRATORS) -> set[str]:
        return {user["UserName"] for user in self.quiet.get_group(GroupName=group)["Users"]}


def document(*actions: str, effect: str = "Allow") -> str:
    """A policy document about these actions on everything."""
    statement = {"Effect": effect, "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(*principals: str, service: str = "") -> str:
    """A trust policy that lets these AWS principals in, or a service."""
    target_text = {"Service": service} if service else {"AWS": list(principals)}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": target_text}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def calls_of(records: list[Record], account: str) -> list[str]:
    """The IAM writes among records that succeeded, but for the revoker's own."""
    return [
        record["eventName"]
        for record in records
        if record["recipientAccountId"] == account
        and record["eventSource"] == "iam.amazonaws.com"
        and not record["readOnly"]
        and "errorCode" not in record
        and REVOKER_SESSION not in record["userIdentity"].get("arn", "")
    ]
