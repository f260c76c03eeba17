"""What holds on every kind of database: the same outcomes, messages and exit statuses."""
