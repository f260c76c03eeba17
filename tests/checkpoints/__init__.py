"""Checkpoint files: reading, validating, writing."""
