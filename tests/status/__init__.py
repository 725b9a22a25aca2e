"""The command `status`, against an Organization in a box."""
