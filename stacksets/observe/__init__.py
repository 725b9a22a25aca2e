"""Look at AWS: stacks, StackSets, subscriptions, who bears a deny. Reads only.

A new look belongs here, its value in `observed/`. Begin with `observe.py`."""
