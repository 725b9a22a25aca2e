"""The template of the central account, one file a subject.

Begin with `template.py`. A permission belongs in `policies.py`, with its reason."""
