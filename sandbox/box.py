"""The Organization in a box: open it, get clients and keys, read its mail, wait for quiet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox import wiring
from sandbox.core import emulator, keys, quiescence
from sandbox.core.clock import Clock
from sandbox.core.faults import Faults, end_functions
from sandbox.core.http_recorder import watched
from sandbox.core.keys import REGION, ROOT_SECRET, Key
from sandbox.core.state import Record, State
from sandbox.core.task_pool import Work
from sandbox.core.unknowns import LIKELY, Unknowns
from sandbox.events.disorder import Disorder
from sandbox.events.schedules import Schedules
from sandbox.iam import console
from sandbox.mail.mailbox import Outbox
from sandbox.organizations.organization import (
    Layout,
    Organization,
    accounts,
    add_account,
    build_organization,
)

SECURITY = "444455556666"
FIRST_MEMBER = 777788889991


@dataclass
class Box:
    """A running Organization. `endpoint` is http://127.0.0.1:PORT, accounts have 12 digits."""

    endpoint: str
    folder: Path
    state: State
    layout: Layout
    organization: Organization
    outbox: Outbox
    _work: Work = field(repr=False)
    _faults: Faults = field(repr=False)
    _clock: Clock = field(repr=False)
    _disorder: Disorder = field(repr=False)
    _schedules: Schedules = field(repr=False)
    _clients: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def organization_id(self) -> str:
        return self.state.organization_id

    @property
    def management(self) -> str:
        return self.layout.management

    @property
    def security(self) -> str:
        return self.layout.security

    @property
    def members(self) -> tuple[str, ...]:
        return self.layout.members

    @property
    def records(self) -> list[Record]:
        """Every record of a call so far, oldest first, whether or not a rule wanted it."""
        return self.state.records

    @property
    def iam_delay(self) -> float:
        """Seconds until a change of policies, groups or boundaries counts; may be set."""
        return self.state.iam_delay

    @iam_delay.setter
    def iam_delay(self, seconds: float) -> None:
        self.state.iam_delay = seconds

    @property
    def history_lag(self) -> float:
        """Seconds until a call is in CloudTrail's event history; may be set."""
        return self.state.history_lag

    @history_lag.setter
    def history_lag(self, seconds: float) -> None:
        self.state.history_lag = seconds

    @property
    def stack_seconds(self) -> float:
        """Seconds a StackSet's operation takes in an account, by the box's time; may be set."""
        return self.state.stack_seconds

    @stack_seconds.setter
    def stack_seconds(self, seconds: float) -> None:
        self.state.stack_seconds = seconds

    def client(
        self,
        service: str,
        account: str = "",
        *,
        region: str = REGION,
        key: Key | None = None,
        quiet: bool = True,
        source_ip: str | None = None,
    ) -> Any:
        """A boto3 client: of an account's root, quietly, or of whoever has `key`, never quietly.

        `source_ip` is what the records show instead of the loopback address.
        """
        who = key or Key(account, ROOT_SECRET)
        options: dict[str, Any] = {
            "region": region,
            "quiet": quiet and key is None,
            "source_ip": source_ip,
        }
        known = (service, who, *options.values())
        if known not in self._clients:
            self._clients[known] = keys.client(self.endpoint, service, who, **options)
        return self._clients[known]

    def emit(self, record: Record) -> None:
        """Put a CloudTrail record on the default bus of its account and region."""
        self.state.emit(record)

    def settle(self, timeout: float = 120, *, ignore_hidden: bool = False) -> None:
        """Wait until nothing is in flight anywhere; TimeoutError says what still is.

        `ignore_hidden`: do not wait for messages hidden by a visibility timeout.
        """
        quiescence.settle(
            self._work,
            let_go=self._disorder.let_go,
            timeout=timeout,
            ignore_hidden=ignore_hidden,
        )

    def disorder(self, seed: int | None, *, late: float = 0.5, twice: float = 0.3) -> None:
        """From now on deliver in an order that is a function of `seed`, and only in `settle`.

        A share `late` of the events comes after all others and after what these cause, a share
        `twice` comes again. None: deliver at once and in order, as at first.
        """
        if seed is None:
            self._disorder.end()
        else:
            self._disorder.begin(seed=seed, late=late, twice=twice)

    def lose(self, predicate: Callable[[Record], bool] | None) -> None:
        """Let EventBridge never have the records for which `predicate` holds; None: no more.

        They are among `records` and in the event history all the same, and in `lost`.
        """
        self._disorder.lose(predicate)

    @property
    def lost(self) -> list[Record]:
        return self._disorder.lost

    def advance(self, seconds: float) -> None:
        """Skip some time at once, for queues, tables, schedules and functions (clock.py)."""
        self._clock.advance(seconds)

    def time(self) -> float:
        """The sandbox's time, epoch seconds."""
        return self._clock.time()

    def tick(self) -> None:
        """Fire the schedules that are due by now, each once, and not within 10 s.

        In a box whose schedules are held nothing else fires them.
        `rate` counts from the making of the rule or schedule; `cron` from the baseline at it.
        """
        self._schedules.tick()

    def cool_down(self, account: str) -> None:
        """End the warm processes of an account's functions, which nobody else would."""
        end_functions(account)

    def unhide(self, queue_arn: str) -> None:
        """Let the visibility timeouts of a queue end now: what failed is tried again."""
        quiescence.unhide(queue_arn)

    def new_account(self, name: str, *, parent: str | None = None) -> str:
        """Add a member to the Organization, below an OU or root (default: Workloads)."""
        account = str(max(int(known) for known in accounts(self.organization)) + 1)
        add_account(self.organization, account, name=name, parent=parent or self.layout.workloads)
        return account

    def new_user(
        self,
        account: str,
        name: str,
        *policies: str | Mapping[str, Any],
        groups: tuple[str, ...] = (),
    ) -> Key:
        """Make a user and missing groups, quietly; a policy is an action or a whole document."""
        return keys.make_user(self.client("iam", account), name, policies, groups=groups)

    def new_session(
        self,
        account: str,
        role: str,
        *policies: str | Mapping[str, Any],
        path: str = "/",
        session: str = "operator",
    ) -> Key:
        """Make a role, quietly, and answer a session of it."""
        return keys.make_session(
            self.client("iam", account),
            self.client("sts", account),
            role,
            policies,
            path=path,
            session=session,
            account=account,
        )

    def console_session(
        self, account: str, user: str, *, began: datetime | None = None, mfa: bool = False
    ) -> Key:
        """Sign an IAM user in to the console: a key whose calls are recorded as the console's.

        `began` is the session's creationDate, now unless given. A user without a password gets
        one, quietly; LookupError when there is no such user.
        """
        return console.sign_in(account, user, began=began, mfa=mfa)

    def fail_next(
        self, service: str, action: str, times: int = 1, code: str = "Throttling"
    ) -> None:
        """Let the next calls of an action fail with an error code instead of being done.

        ("sns", "Publish") and the like for calls over HTTP, by anybody but the sandbox itself;
        for deliveries by rules ("lambda", "Invoke"), ("sqs", "SendMessage"), ("events",
        "PutEvents"), which are then tried again as the rule's target says; ("lambda",
        "Throttle") for asynchronous invocations. With the codes `faults.KILL_BEFORE` and
        `KILL_AFTER` the function that makes the call dies, before it or right after it;
        `faults.PASS` lets one call go by.
        """
        self._faults.add(service, action, times=times, code=code)

    def forget_faults(self) -> list[tuple[str, str]]:
        """Take back the faults that nothing has met yet; answers their (service, action)."""
        return self._faults.forget()


@contextmanager
def open_box(
    *,
    member_count: int = 3,
    workers: int = 4,
    seed: int | None = None,
    held: bool = False,
    unknowns: Unknowns = LIKELY,
) -> Iterator[Box]:
    """Start an Organization: management, security, and members in two OUs.

    At most `workers` functions run at once for events, and as many for each polled queue; one
    box at a time in a process. With a `seed` events come in disorder from the start.
    `held`: schedules fire at `tick` alone. `unknowns`: how AWS answers where no page says it.
    """
    state = State(unknowns=unknowns)
    faults, outbox, disorder = Faults(), Outbox(), Disorder()
    work = Work(workers=workers)
    members = [str(FIRST_MEMBER + number) for number in range(member_count)]
    with emulator.running(lambda app: watched(app, state=state, faults=faults)) as running:
        organization, schedules = wiring.install(
            state, faults=faults, work=work, outbox=outbox, disorder=disorder, workers=workers
        )
        schedules.held = held
        clock = Clock(running.folder / emulator.WORKER_SITE)
        clock.install()
        state.now = clock.time
        layout = build_organization(organization, security=SECURITY, members=members)
        if seed is not None:
            disorder.begin(seed=seed, late=0.5, twice=0.3)
        try:
            yield Box(
                endpoint=running.endpoint,
                folder=running.folder,
                state=state,
                layout=layout,
                organization=organization,
                outbox=outbox,
                _work=work,
                _faults=faults,
                _clock=clock,
                _disorder=disorder,
                _schedules=schedules,
            )
        finally:
            work.close()
