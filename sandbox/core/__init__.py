"""What all emulated services share: the emulator itself, its patches, clock, records, clients.

A private name of the emulator is listed in `patches.py` and used nowhere without it.
Begin with `state.py`; `unknowns.py` holds the answers of AWS that no page gives."""
