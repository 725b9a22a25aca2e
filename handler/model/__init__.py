"""Values that both functions and all tools share. Pure.

A value or a fixed name that more than one room needs belongs here; nothing here decides or acts.
Begin with `cloudtrail.py`, which reads a record into a `Call`."""
