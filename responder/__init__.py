"""The security team's desk. Judges, shows, and asks revokers; has no rights in their accounts."""
