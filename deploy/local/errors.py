"""The errors of the local stack that are shown to the user."""

from collections.abc import Iterator
from contextlib import contextmanager


class StackError(Exception):
    """The stack cannot start or continue. The message is one sentence that says what to do."""


class InUse(StackError):
    """Another stack holds the data folder."""


@contextmanager
def file_errors() -> Iterator[None]:
    """Turn an error about a file into a StackError that names the file and the reason."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise
        raise StackError(f"{error.filename} cannot be used: {error.strerror}.") from error
