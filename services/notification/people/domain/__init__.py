"""Decisions about people. Pure: no I/O, no clock, no random values."""
