"""Replication cursor checkpoints for stigmem nodes.

This module stays empty but for the version: every Python process in the node's environment
imports it through the startup file.
"""

__version__ = "0.1.0"
