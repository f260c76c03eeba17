"""What is known about stigmem-node: its settings, its releases, a node that runs."""
