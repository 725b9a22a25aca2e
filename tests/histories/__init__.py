"""Histories: attackers, accomplices and administrators play on the real handler, in virtual time.

`stage.py` is the account and how calls are made in it, `truth.py` knows what everybody is,
`courier.py` carries the events, `moves.py` says what players do, `ending.py` what must hold
at last.
"""
