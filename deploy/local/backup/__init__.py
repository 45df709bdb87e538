"""Backups of the local stack: all of it at rest, or the databases alone while it runs."""
