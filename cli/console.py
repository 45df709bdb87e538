"""Shared by all commands: errors for the user, printing, progress reports."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status


EXIT_FAILED = 1

EXIT_NOT_ALL = 2
"""Done in part, or with another result than was hoped for; the command's help says which."""


class UserError(Exception):
    """A command cannot do what was asked. The message is one sentence for the user."""

    exit_code = EXIT_FAILED


def user_errors() -> tuple[type[Exception], ...]:
    """List the errors that are printed as their message only, without a traceback."""
    stack = sys.modules.get("deploy.local.errors")
    return (UserError,) if stack is None else (UserError, stack.StackError)


def fail(message: str) -> None:
    """Print a sentence in red on standard error."""
    stderr().print(message, style="red", markup=False, highlight=False, soft_wrap=True)


def print_plain(console: Console, text: str) -> None:
    """Print text as it is: no markup, no colours, no hard line breaks."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def stdout() -> Console:
    from rich.console import Console

    return Console()


def stderr() -> Console:
    from rich.console import Console

    return Console(stderr=True)


class ConsoleReport:
    """Shows the stack's progress: permanent lines, and on a terminal a live status.

    Without a terminal a status is a line; of a quick succession only some are printed.
    """

    def __init__(self) -> None:
        from deploy.local.report import PlainReport

        self._console = stderr()
        self._plain = PlainReport()
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status("")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end_status()

    def info(self, text: str) -> None:
        print_plain(self._console, text)

    def status(self, text: str) -> None:
        if self._status is None:
            if not self._console.is_terminal:
                self._plain.status(text)
        elif text:
            self._status.update(text)
        else:
            self._end_status()

    def _end_status(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
