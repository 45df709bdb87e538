"""notification's decisions, pure: which message and which pickup promise an order's event leads to."""
