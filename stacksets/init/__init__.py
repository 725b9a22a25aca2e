"""The first rollout file, written from what an Organization looks like.

`scaffold.py` writes the text, `admin_candidates.py` finds who looks like an IAM administrator.
The command itself is `cli/init.py`."""
