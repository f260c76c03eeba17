"""The decisions: no file, no database, no clock."""
