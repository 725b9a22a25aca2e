"""The schedule's work: repair denies, re-evaluate, redrive, report health. Calls AWS.

Whatever has to be looked after without an event belongs here, one file for each part.
Begin with `reconcile.py`, which calls the parts in order."""
