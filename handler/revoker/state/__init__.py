"""What the revoker knows: state table, ledger of administrators, marks. Calls DynamoDB.

Reading and writing of items belongs here and nowhere else in the revoker.
Begin with `standing.py`: what is known of a caller. `context.py` holds the clients."""
