"""IAM actions that the emulator lacks, put into its table.

Begin with `missing_actions.py`, which installs them."""
