"""``cursor-export`` as a user sees it."""
