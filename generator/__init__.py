"""Writes the templates, from the handler's source and its constants; makes no AWS call."""
