"""notification's decisions, pure: the message and the promise for each order event."""
