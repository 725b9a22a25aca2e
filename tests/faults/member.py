"""One member account whose calls may fail: its events, reconciliation, responder, and reports.

As AWS does it: an event that failed is tried again after one and after two more minutes and then
lies in the dead-letter queue; reconciliation comes every 15 minutes; a responder that gets
no answer asks again. The central account that hears of it all is the real one, without faults.
"""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from handler.model.caller_proof import DIGEST_HEADER
from handler.model.heartbeat import HEARTBEAT_SECONDS, Heartbeat, heartbeat_detail
from handler.model.names import CANARY_ROLE, HEARTBEAT_DETAIL_TYPE, VERSION
from handler.revoker.respond.self_test import SELF_TEST, SELF_TEST_TAG, TestRun
from tests.doubles.account import NOON, event
from tests.doubles.dynamo import MemoryTable
from tests.doubles.iam import ACCOUNT, MemoryIam
from tests.doubles.rounds import Rounds, canary_event
from tests.faults.client_faults import Died, Wire, Wired
from tests.faults.lambdas import forget_process, run_revoker
from tests.notifier.central import given_envelope, new_central

RETRIES = (60.0, 120.0)
# From a tag on the canary to its event.
CANARY_SECONDS = 5.0
# More than any delay that Lambda adds.
ASKS_AGAIN = 200.0
# Users and roles that IAM lists at once: one page mostly, and two where there are many.
PAGE = 4
# Often enough for the central account to trust its own sense of time (accounts.py).
SWEEP_SECONDS = 240.0


class Account(Rounds):
    """The account at work; `variables` is what its function's environment says beyond defaults.

    `skew` is how far its function's clock is ahead of everybody else's, in seconds.
    """

    skew = 0.0

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__()
        self.variables = variables
        self.iam = MemoryIam(page=PAGE)
        self.iam.now = NOON - 86_400
        self.iam.add_user("standing", groups=("Administrators",))
        self.iam.add_role(CANARY_ROLE)
        self.wire = Wire()
        self.central = new_central(MemoryTable())
        self.answers: list[dict[str, Any]] = []
        self.next_reconciliation = NOON + HEARTBEAT_SECONDS
        self.next_sweep = NOON
        self.sweeping = False
        self._nonce = ""
        self._due: list[tuple[float, int, int, Mapping[str, Any]]] = []
        self._order = itertools.count(1)
        self._forwarded = 0
        forget_process()

    def wired(self, service: str, region: str) -> Wired:
        plain = self.dynamo if service == "dynamodb" else self.clients(service, region)
        return Wired(plain, service, self.wire)

    def installed_and_heard_of(self) -> None:
        """An hour before noon, when a scenario's first call is made; its self-test went well.

        As the reconciliations since then have left it; the central account has the last heartbeat.
        """
        self.installed(**self.variables)
        began = NOON - 3_600
        test_run = TestRun(nonce=f"{began:.3f}", started=began, arrived=began + 5, denied=began + 6)
        written = asdict(test_run) | {"last": json.dumps(asdict(test_run.last)), "enforcing": 1.0}
        self.table.update(
            SELF_TEST, {name: value for name, value in written.items() if value != ""}
        )
        beat = Heartbeat(account=ACCOUNT, at=NOON, product_version=VERSION, mode="enforce")
        self._report_central(HEARTBEAT_DETAIL_TYPE, heartbeat_detail(beat), id="at-noon")

    def post(self, identity: dict[str, Any], name: str, id: str, **detail: Any) -> None:
        """An event of a call at noon, on its way; a later call says its `eventTime`.

        CloudTrail's event history has it as well.
        """
        made = event(identity, name, eventID=id, **detail)
        self.trail.records.append(made["detail"])
        heapq.heappush(self._due, (self.now, next(self._order), 0, made))

    def ask(self, what: str, **request: Any) -> None:
        """The responder asks, and asks again until it is answered."""
        proof = {"Authorization": f"AWS4-HMAC-SHA256 SignedHeaders=host;{DIGEST_HEADER}"}
        asked = {"responder": what, "proof": proof, **request}
        heapq.heappush(self._due, (self.now, next(self._order), 0, asked))

    def run(self, until: float) -> None:
        """Everything that is due up to then, in the order of time."""
        while True:
            due = self._due[0][0] if self._due else until + 1
            sweep = self.next_sweep if self.sweeping else until + 1
            first = min(due, self.next_reconciliation, sweep)
            if first > until:
                break
            self.now = max(self.now, first)
            if first == due:
                _, _, tries, asked = heapq.heappop(self._due)
                self._try(asked, tries)
            elif first == self.next_reconciliation:
                self.next_reconciliation += HEARTBEAT_SECONDS
                self.queue.unhide()
                heapq.heappush(self._due, (self.now, next(self._order), 0, {"reconcile": True}))
            else:
                self.next_sweep = self.now + SWEEP_SECONDS
                self.central.now = self.now
                self.central.sweep()
        self.now = until

    @property
    def idle(self) -> bool:
        return not self._due and not self.queue.letters

    @property
    def waiting(self) -> set[str]:
        """Events that Lambda still tries."""
        return {asked["detail"]["eventID"] for *_, asked in self._due if "detail" in asked}

    @property
    def dead(self) -> list[Mapping[str, Any]]:
        """What lies in the dead-letter queue, without Lambda's record around it."""
        bodies = (json.loads(letter["Body"]) for letter in self.queue.letters.values())
        return [body.get("requestPayload", body) for body in bodies]

    def _try(self, asked: Mapping[str, Any], tries: int) -> None:
        answer, error = self.invoke(asked)
        if "responder" in asked:
            if error is None and "error" not in answer:
                self.answers.append(answer)
            else:
                self._again(asked, 0, ASKS_AGAIN)
        elif error is not None and tries < len(RETRIES):
            self._again(asked, tries + 1, RETRIES[tries])
        elif error is not None:
            self.queue.put({"requestPayload": asked, "responsePayload": str(error)})

    def _again(self, asked: Mapping[str, Any], tries: int, after: float) -> None:
        heapq.heappush(self._due, (self.now + after, next(self._order), tries, asked))

    def invoke(self, asked: Mapping[str, Any]) -> tuple[Any, BaseException | None]:
        """One invocation; whatever it put on the bus reaches the central account."""
        self.wire.begin()
        answer, error = run_revoker(asked)
        if isinstance(error, Died):
            forget_process()
        nonce = self.iam.roles[CANARY_ROLE].tags.get(SELF_TEST_TAG, "")
        if nonce != self._nonce:
            self._nonce = nonce
            arrives = self.now + CANARY_SECONDS
            seen = canary_event(nonce, eventID=f"canary-{nonce}")
            heapq.heappush(self._due, (arrives, next(self._order), 0, seen))
        for entry in self.bus.entries[self._forwarded :]:
            self._forwarded += 1
            detail = json.loads(entry["Detail"])
            self._report_central(entry["DetailType"], detail, id=f"entry-{self._forwarded}")
        return answer, error

    def _report_central(self, detail_type: str, detail: Mapping[str, Any], *, id: str) -> None:
        if detail_type == HEARTBEAT_DETAIL_TYPE and not self.sweeping and self._forwarded:
            # Who is silent, or says how many letters are dead, matters while a fault lasts.
            return
        body = given_envelope(detail, id=id) | {"detail-type": detail_type}
        self.central.now = max(self.now, self.central.now)
        assert self.central.deliver(json.dumps(body), sent_at=self.now) == []
