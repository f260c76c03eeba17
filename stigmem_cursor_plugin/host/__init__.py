"""How to work with stigmem-node: its settings, addresses, functions and log lines."""
