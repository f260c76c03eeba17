"""Checkpoint files: reading, validating and writing them."""
