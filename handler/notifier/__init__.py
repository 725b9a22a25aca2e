"""The function of the central account: counts reports, sends e-mail.

`main.py` is the entry; it reads the queue into `messages/`, counts in `store/`, writes `mail/`
and sends by `send/`. Only `main.py` makes clients."""
