"""What a user meets, across the commands."""
