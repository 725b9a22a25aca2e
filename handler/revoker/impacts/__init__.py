"""What a call changed, in whose favor, and how to undo it. Pure.

Each file holds the calls of one subject; a new IAM call belongs into the file of its subject.
Begin with `table.py`, which lists them all, then `model.py` for the values."""
