"""The node's database, on every backend and in every state."""
