"""What both functions and all tools speak: names, settings, CloudTrail records, reports. Pure.

A value or a fixed name that more than one room needs belongs here; nothing here decides or acts.
Begin with `cloudtrail.py`, which reads a record into a `Call`."""
