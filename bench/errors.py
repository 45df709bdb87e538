"""What ends a run of the benchmark, for the person at the keyboard."""


class BenchError(Exception):
    """A measurement is not valid or cannot be made; the message is one sentence or a few lines."""
