"""AWS Organizations: accounts, units, service control policies, trusted access, Identity Center.

Begin with `organization.py`, the values, then `api.py`, who may ask what."""
