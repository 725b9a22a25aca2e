"""IAM as one principal calls it, patient with what IAM has not applied everywhere yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

# IAM User Guide, "Troubleshoot IAM": changes that I make are not always immediately visible.
NOT_YET = (
    "ConcurrentModification",
    "EntityTemporarilyUnmodifiable",
    "InvalidClientTokenId",
    "NoSuchEntity",
)
REFUSED = ("AccessDenied", "AccessDeniedException")
TRIES = 12
SECONDS = 2.0


class Actor:
    """Calls IAM by the methods of a boto3 client. `done` counts the calls that came through. With
    `awaits_policy` a refusal before the first of them means that IAM has not applied it yet."""

    def __init__(
        self, client: Any, sleep: Callable[[float], None], *, awaits_policy: bool = False
    ) -> None:
        self.client, self.done, self.awaits_policy = client, 0, awaits_policy
        self._sleep = sleep

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)

        def call(**asked: Any) -> Any:
            for _ in range(TRIES - 1):
                try:
                    answer = method(**asked)
                except ClientError as error:
                    if not self._is_early(code_of(error)):
                        raise
                    self._sleep(SECONDS)
                else:
                    self.done += 1
                    return answer
            return method(**asked)

        return call

    def _is_early(self, code: str) -> bool:
        early = self.awaits_policy and not self.done and code in REFUSED
        return early or code in NOT_YET

    def answers(self) -> bool:
        """Whether IAM takes the key, and lets it call where it may. A read, which no rule sees."""
        code = self._code_of_a_read()
        return not code or (not self.awaits_policy and code in REFUSED)

    def is_refused(self) -> bool:
        """Whether IAM refuses the next call of this principal."""
        return self._code_of_a_read() in (*REFUSED, "InvalidClientTokenId")

    def _code_of_a_read(self) -> str:
        try:
            self.client.list_users(MaxItems=1)
        except ClientError as error:
            code = code_of(error)
            if code not in (*REFUSED, "InvalidClientTokenId"):
                raise
            return code
        return ""


def code_of(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
