"""Tests of what the commands say."""
