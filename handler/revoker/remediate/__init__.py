"""Undo what an unauthorized call changed. Calls IAM and DynamoDB.

What a call changed is found in `impacts/`; here it is undone, or said why not.
Begin with `remediate.py`, which says which impact is undone where."""
