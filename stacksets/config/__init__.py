"""The rollout file: read, checked, and as values. Pure.

A new key of the file belongs in `load.py`, its value in `model.py`.
All that is wrong with a file is collected and said at once."""
