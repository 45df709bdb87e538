"""Starts the command line. Errors for the user are printed as one sentence, without a traceback."""

import sys

from cli.app import app
from cli.console import fail, user_errors


def main() -> None:
    try:
        app(prog_name="herhaal")
    except user_errors() as error:
        fail(str(error))
        sys.exit(1)


main()
