"""All routes of the portal, with the action that each needs: a new one is a line of routes.txt, seen in
review."""

from pathlib import Path

from portal import rooms
from portal.login import pages as login

LISTED = Path(__file__).with_name("routes.txt")


def test_every_route_is_listed_with_what_it_needs() -> None:
    """Given the rooms' pages; then routes.txt lists each: method, path, action ("-": whoever is logged in), and
    the page for which its form is kept."""
    pages = [page for room in (login.pages, *rooms.ALL) for page in room.all]
    found = sorted(
        f"{page.path} {page.method} {page.action or '-'} {page.kept_for or ''}".rstrip()
        for page in pages
    )
    assert found == LISTED.read_text().splitlines(), "\n".join(found)
