"""Declares pages: a path, the action that it needs, and a function of a visit."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from portal.web.visit import Visit
from schemas.access import Action

Endpoint = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True)
class Page:
    """A page. `action` is what the role must be allowed to do, None for what everybody who is logged in may.

    A form that is sent when the session is over is kept for `kept_for`, a page that shows it again after login;
    it may name path parameters, as in `/patients/{patient}/medicines`.
    """

    path: str
    method: str
    action: Action | None
    endpoint: Endpoint
    kept_for: str | None = None


class Pages:
    """The pages of one room, in the order in which they are declared."""

    def __init__(self) -> None:
        self._pages: list[Page] = []

    @property
    def all(self) -> Sequence[Page]:
        """All pages of the room."""
        return self._pages

    def get(self, path: str, action: Action | None) -> Callable[[Endpoint], Endpoint]:
        """Declare a page to look at."""
        return self._add(path, "GET", action, None)

    def post(
        self, path: str, action: Action | None, kept_for: str | None = None
    ) -> Callable[[Endpoint], Endpoint]:
        """Declare what a form does."""
        return self._add(path, "POST", action, kept_for)

    def _add(
        self, path: str, method: str, action: Action | None, kept_for: str | None
    ) -> Callable[[Endpoint], Endpoint]:
        def add(endpoint: Endpoint) -> Endpoint:
            self._pages.append(Page(path, method, action, endpoint, kept_for))
            return endpoint

        return add
