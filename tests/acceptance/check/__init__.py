"""``cursor-check`` as a user sees it."""
