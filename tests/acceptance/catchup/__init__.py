"""``cursor-catchup`` as a user sees it."""
