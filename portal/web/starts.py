"""Where to begin to read lists that are long, so that their old part is not read again for each page."""

from collections import OrderedDict

MOST = 10_000


class Starts:
    """The cursor from which on the newest part of a list is, by the list's name; none when it is not known."""

    def __init__(self) -> None:
        self._cursors: OrderedDict[str, str] = OrderedDict()

    def of(self, name: str) -> str | None:
        """Where to begin; None: at the start."""
        return self._cursors.get(name)

    def note(self, name: str, cursor: str | None) -> None:
        """Begin here from now on."""
        self._cursors.pop(name, None)
        if cursor is not None:
            self._cursors[name] = cursor
        if len(self._cursors) > MOST:
            self._cursors.popitem(last=False)
