"""What the revoker knows: the state table, the ledger of administrators, the marks. Calls DynamoDB.

Reading and writing of items belongs here and nowhere else in the revoker.
Begin with `standing.py`: what is known of a caller. `context.py` holds the clients."""
