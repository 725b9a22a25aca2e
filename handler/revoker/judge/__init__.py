"""Decide about a caller: verdict, membership as of a call, renames. Pure.

A rule that decides belongs here; it gets values and reads no clock, no table and no AWS.
Begin with `rules.py`: the first rule that holds gives the verdict."""
