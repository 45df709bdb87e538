"""How the stack tells what it is doing, so that the command line and tests can each show it their way."""

import sys
import time
from typing import Protocol


class Report(Protocol):
    """Receives what the stack has to tell."""

    def say(self, text: str) -> None:
        """A line that stays on the screen: something happened."""

    def status(self, text: str) -> None:
        """What is being waited for now; replaces the earlier status. Empty: nothing any more."""


class PlainReport:
    """Writes lines to standard error; of a status that counts (`title: how far`) only some."""

    EVERY_S = 3.0

    def __init__(self) -> None:
        self._title = ""
        self._next_status = 0.0

    def say(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")

    def status(self, text: str) -> None:
        title = text.partition(":")[0]
        if text and (title != self._title or time.monotonic() >= self._next_status):
            self.say(text)
            self._next_status = time.monotonic() + self.EVERY_S
        self._title = title
