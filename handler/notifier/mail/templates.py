"""The words of the mails: the generator puts what it renders from templates/mail in place of this.

Keyed by file stem: one text per kind of notice, and `sentences`, one `code: sentence` a line. The
texts hold `$placeholders` (mail.py lists them) that are filled at run time.
"""

from __future__ import annotations

MAIL_WORDS: dict[str, str] = {}
