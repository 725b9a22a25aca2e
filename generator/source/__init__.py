"""What the functions' code is made of: joined modules, mail texts, and how the code travels.

Begin with `join_modules.py`: the modules of `handler/` become one readable `index.py`."""
