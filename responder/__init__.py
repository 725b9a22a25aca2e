"""The security team's responder: shows, and asks revokers; it has no rights in their accounts."""
