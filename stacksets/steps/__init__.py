"""The steps of which plans are made, one file a subject. Pure.

A step is a value: what is done, the AWS calls, what stands in the way (`model.py`).
A new step belongs beside its subject: bucket, guardrail, ring, stack, recipient."""
