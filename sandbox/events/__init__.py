"""EventBridge, Scheduler and asynchronous Lambda: buses, rules, targets, retries, dead letters.

Begin with `router.py`: an event comes in and goes to the targets of its rules."""
