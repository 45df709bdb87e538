"""Faults under load, each judged afterwards by the checker from the clients' history and a whole dump."""
