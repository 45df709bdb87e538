"""Backups of the local stack: the whole stack while it is stopped, or the databases while it runs."""
