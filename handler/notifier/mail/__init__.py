"""The words of each mail, as text and as JSON. Pure.

The sentences stand in `templates/mail/*.j2`; what fills them is computed here.
Begin with `incident_mail.py`."""
