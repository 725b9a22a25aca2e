"""Steps that keep principals contained while their stack is replaced or removed. Pure.

Begin with `keep.py`; `repair.py` recreates a stack, `hand_over.py` lets the new revoker take
over."""
