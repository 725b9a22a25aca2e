"""How statements, ARNs, event patterns and intrinsic functions are written. Knows no account.

A way to write something belongs here; what is allowed to whom, in `member/` or `central/`."""
