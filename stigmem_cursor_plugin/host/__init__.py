"""All that is known about stigmem-node."""
