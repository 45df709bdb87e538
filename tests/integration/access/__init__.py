"""The door, asked of running services: every operation × role × whose it is."""
