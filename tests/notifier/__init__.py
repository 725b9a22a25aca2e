"""Tests of the central side: notice, incident store, mail, notifier."""
