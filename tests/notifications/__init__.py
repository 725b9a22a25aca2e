"""What lasts, and what comes in masses: each file in an Organization of its own."""
