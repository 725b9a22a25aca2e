"""The incident table: incidents, due mails, accounts, the rate limit. Calls DynamoDB.

Reading and writing of items belongs here and nowhere else in the notifier.
Begin with `incidents.py`: each event counts once, one process at a time sends a mail."""
