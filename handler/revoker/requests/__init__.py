"""Answer the responder: list, show, release, self-test, ledger. Calls AWS.

Only the responder role is believed, which STS proves (`authenticate.py`).
Begin with `requests.py`; a new request belongs there, its work in a file of its own."""
