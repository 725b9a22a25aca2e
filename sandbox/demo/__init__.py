"""The demo: the product rolled out into a box, scenes played, mails printed.

`python -m sandbox.demo` runs `__main__.py`; a new scene belongs in `scenarios.py`."""
