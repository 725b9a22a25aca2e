"""What an operator must be allowed to do, action by action, as data with reasons. Pure.

A new AWS call of the rollout belongs in `operator.py`, or in `removal.py` for drift and removal.
`docs/operator-permissions.md` is printed from here."""
