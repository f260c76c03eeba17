"""Checkpoint files: reading, validating and writing them, and writing other files as safely."""
