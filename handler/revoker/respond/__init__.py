"""Answer one IAM call: read, decide, contain, learn, report. Calls IAM and DynamoDB.

The story is `respond.py`, from top to bottom; `dispatch.py` brings it the event.
A step of that story belongs here, the decision itself in `judge/`."""
