"""The commands and what they print: tables, JSON, scripts, the page. Makes clients.

A command reads its arguments, looks, plans, shows and executes; it decides nothing.
Begin with `apply.py`."""
