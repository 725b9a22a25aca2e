"""The attacks of a proof: who plays what, and how each must end.

`catalog.py` lists them all; a new one belongs in the file of its subject, as a row (`model.py`).
Principals are made by `cast.py`, calls go by `actor.py`."""
