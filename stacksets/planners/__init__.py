"""Compute the steps of a rollout and of a removal. Pure.

Begin with `rollout.py`: wanted and seen in, steps out. The steps themselves stand in `steps/`."""
