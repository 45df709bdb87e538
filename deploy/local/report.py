"""The interface by which the stack reports its progress, and a plain implementation."""

import sys
import time
from typing import Protocol


class Report(Protocol):
    """Receives progress messages of the stack."""

    def info(self, text: str) -> None:
        """Show a permanent line: something happened."""

    def status(self, text: str) -> None:
        """Show what is going on now, in place of the earlier status. Empty: nothing."""


class PlainReport:
    """Writes lines to standard error; a status that counts (`title: progress`) every EVERY_S."""

    EVERY_S = 3.0

    def __init__(self) -> None:
        self._title = ""
        self._next_status = 0.0

    def info(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")

    def status(self, text: str) -> None:
        title = text.partition(":")[0]
        if text and (title != self._title or time.monotonic() >= self._next_status):
            self.info(text)
            self._next_status = time.monotonic() + self.EVERY_S
        self._title = title
