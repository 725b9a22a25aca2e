"""What was seen of AWS, as values: the Organization, stacks, policies, heartbeats.

Plans and status are computed from these alone. Begin with `model.py`."""
