"""Starts the command line. Errors for the user are printed as one sentence, without a traceback."""

import sys
from collections.abc import Sequence
from io import TextIOWrapper

import typer

from cli.app import app
from cli.console import EXIT_FAILED, fail, user_errors


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 not done, any other what its help says.

    Not done is also a command that was typed wrong: 2, as is usual for that, means something else here.
    """
    _print_any_file_name()
    try:
        code: int | None = app(arguments, prog_name="herhaal", standalone_mode=False)
    except user_errors() as error:
        fail(str(error))
        return getattr(error, "exit_code", EXIT_FAILED)
    except typer.Abort:
        fail("Aborted.")
        return EXIT_FAILED
    except typer.TyperException as error:
        # A wrong option, which shows itself with the usage.
        error.show()  # type: ignore[attr-defined]
        return EXIT_FAILED
    return code or 0


def _print_any_file_name() -> None:
    """Let a file name be printed as it is, also if it is not UTF-8, as `ls` does."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")


if __name__ == "__main__":
    sys.exit(main())
