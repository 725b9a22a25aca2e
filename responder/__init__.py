"""The security team's responder. Judges, shows, and asks revokers; has no rights in their accounts."""
