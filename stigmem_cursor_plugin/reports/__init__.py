"""What the commands say: in words for a person, and as JSON documents for a program."""
