"""Measurements against the host's built-in commands, and of the recovery itself."""
