"""What a user types and reads: the words, arguments and exit statuses of each command."""
