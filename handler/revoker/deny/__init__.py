"""Put the deny on a principal and take it off again. Calls IAM.

Each deny method stands beside its undo in `methods.py`; a new way to deny belongs there.
`contain.py` tries the methods in order and checks on whom the deny ended."""
