"""IAM as AWS decides: authorization, quotas, propagation delay, protected roles.

Begin with `authorization.py`: what AWS knows of a request and the emulator does not."""
