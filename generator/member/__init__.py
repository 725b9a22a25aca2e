"""The template of a member account, one file a subject.

Begin with `template.py`. A permission of the revoker belongs in `revoker_role.py`, with its
reason."""
