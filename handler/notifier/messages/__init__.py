"""What the queue brings, as values; when to notify; what is unhealthy. Pure.

Reading a message and deciding about it belongs here; nothing here sends or stores.
Begin with `inbox.py`, which turns a message into a notice or says why it cannot."""
