"""Starts the command line. Errors for the user are printed as one sentence, without a traceback."""

import sys
from io import TextIOWrapper

from cli.app import app
from cli.console import fail, user_errors


def main() -> None:
    _print_any_file_name()
    try:
        app(prog_name="herhaal")
    except user_errors() as error:
        fail(str(error))
        sys.exit(1)


def _print_any_file_name() -> None:
    """Let a file name be printed as it is, also if it is not UTF-8, as `ls` does."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")


main()
