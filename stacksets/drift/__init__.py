"""Find what was changed behind CloudFormation's back, and where a plan must look into accounts.

`rings.py` for the StackSets, `stacks.py` for the two ordinary stacks. Reads only."""
