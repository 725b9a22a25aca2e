"""Why a request of the responder cannot be done: a code for programs, a sentence for people."""

from __future__ import annotations


class ResponderRefusal(Exception):
    """Raised with a sentence; `code` is one word of a program's."""

    def __init__(self, code: str, says: str) -> None:
        super().__init__(says)
        self.code = code
