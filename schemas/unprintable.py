"""Types that refuse to print: their content must not get into a log, a traceback or an error by chance."""

from collections.abc import Iterable
from typing import Any

from pydantic import ConfigDict

from schemas.base import Model


class Unprintable(Model):
    """A model that prints as its name alone. What it says is written only by who serialises it on purpose.

    A validation error of such a model does not quote what was sent either.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    def __repr__(self) -> str:
        """Give the name of the type, without any field."""
        return f"{type(self).__name__}(…)"

    __str__ = __repr__

    def __format__(self, _: str) -> str:
        """Format as `repr`, whatever the format."""
        return repr(self)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Give rich and other pretty printers nothing."""
        return ()
