"""The Lambda function of the central account, which counts reports and sends e-mail.

`main.py` is the entry; it reads the queue into `messages/`, counts in `store/`, writes `mail/`
and sends by `send/`. Only `main.py` makes clients."""
