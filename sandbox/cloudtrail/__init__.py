"""CloudTrail: trails, organization trails, and the event history."""
