"""Processes of the local stack: start, supervise, restart, stop."""
