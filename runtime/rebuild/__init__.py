"""Rebuild a service's projections from the topics beside the running ones, compare, and switch.

`declaration` has what a service declares, `run` performs a rebuild. Design: docs/architecture/rebuild.md.
"""
