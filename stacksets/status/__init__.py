"""Whether each account is covered, and why not. Pure.

A new reason belongs in `findings.py`; `coverage.py` goes through the accounts.
What is looked at is one value: `inputs.py`."""
