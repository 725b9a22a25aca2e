"""How an action that the emulator's IAM lacks reads its request and words its answer.

Shapes only: what an action does stands in the iam_ file that it belongs to.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from sandbox.core import patches

IAM = "ministack.services.iam"

Params = Mapping[str, Any]
Answer = Any
Action = Callable[[Params], Answer]


class IamError(Exception):
    """IAM says no: the HTTP status, the code as in `Error.Code`, the message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def no_such(kind: str, name: str) -> IamError:
    return IamError(404, "NoSuchEntity", f"The {kind} with name {name} cannot be found.")


def answering(action: str, do: Callable[[Params], Mapping[str, Any]]) -> Action:
    """A handler as the emulator's table has them: `do` answers the response as boto3 has it."""

    def handler(params: Params) -> Answer:
        try:
            result = do(params)
        except IamError as refusal:
            return patches.get(IAM, "_error")(
                refusal.status, refusal.code, refusal.message, ns="iam"
            )
        inner = f"<{action}Result>{_xml(result)}</{action}Result>" if result else ""
        return patches.get(IAM, "_xml")(200, f"{action}Response", inner, ns="iam")

    return handler


def value(params: Params, name: str, default: str = "") -> str:
    given = params.get(name)
    return str((given[0] if isinstance(given, list) else given) or default)


def listed(params: Params, name: str) -> list[str]:
    """A list of texts, as the query protocol numbers them: `ThumbprintList.member.1`."""
    found: list[str] = []
    while one := value(params, f"{name}.member.{len(found) + 1}"):
        found.append(one)
    return found


def new_id(prefix: str, length: int = 21) -> str:
    """A random id such as APKA and 17 more."""
    return (prefix + uuid.uuid4().hex.upper())[:length]


def now() -> str:
    return str(patches.get(IAM, "_now")())


def _xml(content: Any) -> str:
    match content:
        case Mapping():
            return "".join(f"<{name}>{_xml(one)}</{name}>" for name, one in content.items())
        case list():
            return "".join(f"<member>{_xml(one)}</member>" for one in content)
        case _:
            return escape(str(content))
