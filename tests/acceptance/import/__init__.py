"""``cursor-import`` as a user sees it."""
