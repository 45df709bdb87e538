"""The error that ends a run of the benchmark."""


class BenchError(Exception):
    """A measurement is invalid or impossible. The message is for the user: a sentence or a few lines."""
