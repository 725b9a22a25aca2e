"""The code that runs in Lambda: standard library and the runtime's own botocore, nothing else."""
