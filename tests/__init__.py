"""Tests of the plugin against the real host; the folders are those of the code."""
