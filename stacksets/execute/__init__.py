"""Walk the steps of a plan: make their calls, wait, stop at the first failure. Calls AWS.

`executor.py` acts, `dry_run.py` walks the same steps without acting, `waiters.py` waits."""
