"""The soak: its schedule, what its operator reads, its report."""
