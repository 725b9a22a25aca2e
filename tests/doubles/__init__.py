"""Doubles that answer as AWS does, as plain objects: thousands of histories cost seconds."""
