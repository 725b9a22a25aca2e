"""Hold the texts of the mails: the generator replaces this by what it renders from templates/mail.

Keyed by file stem: one text per kind of notice, and `sentences`, one `code: sentence` a line. The
texts hold `$placeholders` (incident_mail.py lists them) that are filled at run time.
"""

from __future__ import annotations

MAIL_WORDS: dict[str, str] = {}
