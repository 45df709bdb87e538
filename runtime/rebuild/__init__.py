"""Building a service's projections anew from the topics, beside the running ones, and switching them.

`declared` is what a service says of its projections, `run` does it all; how, and why so, is in
docs/architecture/rebuild.md.
"""
