"""Answer the response team: who is contained, release, ledger, self-test. Calls AWS.

Only the responder role is believed, which STS proves (`authenticate.py`).
Begin with `requests.py`; a new request belongs there, its work in a file of its own."""
