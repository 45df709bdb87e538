"""Helpers for tests of the running system: make records, send them, read topics."""
