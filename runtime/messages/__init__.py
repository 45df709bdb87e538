"""Messages: records and their CloudEvents envelope, parsed, made, and put aside as dead letters."""
