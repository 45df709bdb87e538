"""Where Chromium is, with which the tests of the portal's pages look at them."""

import os
import shutil

from cli.console import UserError

HOW = (
    "The tests in tests/browser need Chromium: apt-get install chromium,"
    " or name the program in HERHAAL_CHROMIUM."
)


def find_chromium() -> str:
    """The path of the program: HERHAAL_CHROMIUM, or `chromium` on PATH. Raises UserError."""
    found = shutil.which(os.environ.get("HERHAAL_CHROMIUM") or "chromium")
    if found is None:
        raise UserError(HOW)
    return found
