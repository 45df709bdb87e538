"""Faults under load. The checker judges each one by the clients' history and a dump of topics and databases."""
