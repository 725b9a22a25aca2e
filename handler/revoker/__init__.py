"""The Lambda function of a member account, which answers IAM calls.

`main.py` is the entry; it takes an event to `respond/`, the schedule to `reconcile/`, and the
response team's requests to `requests/`. Only `main.py` makes clients."""
