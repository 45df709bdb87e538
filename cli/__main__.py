"""Starts the command line; what is meant for the user is told in one sentence, without a traceback."""

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
