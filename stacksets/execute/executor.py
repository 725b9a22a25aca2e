"""Walk the steps of a plan: make their calls, wait, and stop at the first that fails.

Decides nothing. What is shown meanwhile is the listener's; a step that failed or was interrupted
leaves what the next plan can read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from stacksets.execute.waiters import Counted, Failed, Waiting, code_advice, wait_for
from stacksets.observe.clients import CannotEnter, Clients, sentence
from stacksets.steps.model import Call, Content, Saved, Step, Until

# Somebody else's operation on the same set: ours may be made again once it has ended.
# Organizations says the last two while a policy type or a policy is still being switched on.
BUSY = (
    "OperationInProgressException",
    "StaleRequestException",
    "ConcurrentModificationException",
    "PolicyChangesInProgressException",
)
# Whoever has just switched the policy type on is told so for a while, though the root says that
# it is; nothing else ends it, so it is asked again for as long as the walker has patience.
NOT_YET = "PolicyTypeNotEnabledException"
# What was asked for is so already: an apply that was interrupted asks for it twice.
SO_ALREADY = ("PolicyTypeAlreadyEnabledException",)
BUSY_SECONDS = 15.0
BUSY_TRIES = 240


class Listener(Protocol):
    """Who shows how it goes."""

    def begins(self, step: Step, number: int, of: int) -> None: ...

    def counted(self, counted: Counted) -> None: ...

    def waits(self, why: str) -> None: ...

    def ended(self) -> None: ...


class StepFailed(Exception):
    """A step that did not succeed. `accounts` maps each account concerned to AWS's words."""

    def __init__(self, step: Step, said: str, accounts: Mapping[str, str], advice: str) -> None:
        super().__init__(said)
        self.step, self.said, self.accounts, self.advice = step, said, accounts, advice


@dataclass
class Walker:
    """`contents` are the bodies of the carried templates by their name."""

    clients: Clients
    contents: Mapping[str, str] = field(repr=False)
    waiting: Waiting
    listener: Listener
    saved: dict[str, Any] = field(default_factory=dict)

    def walk(self, steps: Iterable[Step]) -> dict[str, str]:
        """Do every step in order; answers the accounts that failed within a ring's tolerance, with
        AWS's words. Raises StepFailed."""
        steps, tolerated = tuple(steps), dict[str, str]()
        for number, step in enumerate(steps, start=1):
            self.listener.begins(step, number, len(steps))
            try:
                for account, said in self._do(step).items():
                    # The steps of one ring often fail alike.
                    before = tolerated.get(account, said)
                    tolerated[account] = before if said in before else f"{before}; {said}"
            except (ClientError, BotoCoreError) as error:
                raise StepFailed(step, sentence(error), {}, advice(error)) from error
            except CannotEnter as error:
                raise StepFailed(step, str(error), {}, "") from error
            except Failed as error:
                raise StepFailed(step, error.said, error.accounts, error.advice) from error
            self.listener.ended()
        return tolerated

    def _do(self, step: Step) -> dict[str, str]:
        answer: Mapping[str, Any] = {}
        for call in step.calls:
            answer = self._call(call)
            if call.saves:
                self.saved[call.saves[0]] = _found(answer, call.saves[1])
        if step.wait is None:
            return {}
        began = answer.get("OperationId") or answer.get("StackDriftDetectionId") or ""
        operation = step.wait.operation or str(began)
        client = self.clients.of(*_service_of(step))
        return wait_for(
            step.wait,
            client,
            operation=operation,
            waiting=self.waiting,
            counted=self.listener.counted,
        )

    def _call(self, call: Call) -> Mapping[str, Any]:
        client = self.clients.of(call.service, call.account)
        method: Callable[..., Mapping[str, Any]] = getattr(client, xform_name(call.operation))
        arguments = {name: self._value(value) for name, value in call.arguments.items()}
        began = self.waiting.clock()
        for _ in range(BUSY_TRIES):
            try:
                return method(**arguments)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                # CloudFormation has no code of its own for this, and it is what was wanted.
                if "No updates are to be performed" in str(error) or code in SO_ALREADY:
                    return {}
                waited = self.waiting.clock() - began
                if code not in BUSY and not (code == NOT_YET and waited < self.waiting.patience):
                    raise
                self.listener.waits(sentence(error))
                self.waiting.sleep(BUSY_SECONDS)
        return method(**arguments)

    def _value(self, value: Any) -> Any:
        match value:
            case Saved(name=name):
                return self.saved[name]
            case Content(template=template):
                return self.contents[template].encode()
        return value


def advice(error: Exception) -> str:
    """What to do about what AWS said, where that is known."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if "S3 error: Access Denied" in str(error):
        # CloudFormation's words, which name no permission and have no code of their own.
        return (
            "CloudFormation reads the template with the operator's rights. Give the operator the "
            "permission s3:GetObject on the bucket for templates (docs/operator-permissions.md). "
            "Where a delegated administrator has it, let the management account deploy: write "
            'deploy_from = "management".'
        )
    if code == "ValidationError":
        return code_advice(str(error)).strip()
    match code:
        case "AccessDenied" | "AccessDeniedException" | "AuthorizationError" | "403":
            return (
                "Give the operator the permission that AWS names; docs/operator-permissions.md "
                "has them all."
            )
        case "BucketAlreadyExists":
            return "Somebody else has a bucket of that name: choose another by bucket in the file."
        case "InsufficientCapabilitiesException":
            return "The template asks for more than its release does: take the release's templates."
        # SNS takes 200 filters a topic, unless that quota is raised.
        case (
            "LimitExceededException" | "ConstraintViolationException" | "FilterPolicyLimitExceeded"
        ):
            return "Raise that quota, or make room, and run apply again."
        case "PolicyTypeNotEnabledException":
            return (
                "Organizations is still switching service control policies on: run apply again in "
                "some minutes."
            )
        case "Throttling" | "ThrottlingException" | "TooManyRequestsException":
            return "AWS is busy: run apply again in some minutes."
    return ""


def _service_of(step: Step) -> tuple[str, str]:
    """The client that a step's wait needs."""
    assert step.wait is not None
    match step.wait.until:
        case Until.CONFIRMED:
            service = "sns"
        case Until.ENABLED:
            service = "organizations"
        case Until.SETTLED | Until.CONTAINED:
            service = "iam"
        case _:
            service = "cloudformation"
    return service, step.wait.account


def _found(answer: Mapping[str, Any], path: str) -> Any:
    value: Any = answer
    for name in path.split("."):
        value = value[name]
    return value
