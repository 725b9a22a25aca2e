"""The security team's desk. Judges and shows; takes nothing away from anybody."""
