"""The command prove: play attacks in an account made for tests, and say how each ended."""
