"""The rollout: carries the committed templates to every account. Reads templates/ as files."""
