"""Tests of the plugin against the real host."""
