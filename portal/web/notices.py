"""Pages that say what is wrong, and what to do: in the whole window, or in place for htmx."""

from enum import Enum
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from portal.web.language_choice import language_of
from portal.web.languages import mark
from portal.web.site import Site


class Notice(Enum):
    """What is wrong: the status, the heading and the text, in English."""

    NOT_FOUND = (
        HTTPStatus.NOT_FOUND,
        mark("This page does not exist"),
        mark("Or you may not see it. Go back to your start page and try from there."),
    )
    OLD_PAGE = (
        HTTPStatus.FORBIDDEN,
        mark("This page was too old"),
        mark("Nothing was sent. Go back, load the page again, and then send it again."),
    )
    CHANGED_MEANWHILE = (
        HTTPStatus.CONFLICT,
        mark("Somebody else was earlier"),
        mark("This was changed in the meantime. Load the page again to see how it is now."),
    )
    TOO_MANY = (
        HTTPStatus.TOO_MANY_REQUESTS,
        mark("One moment, please"),
        mark("There were too many requests. Try again in half a minute."),
    )
    AWAY = (
        HTTPStatus.SERVICE_UNAVAILABLE,
        mark("This does not work at the moment"),
        mark("It is our fault, not yours. Nothing was lost. Please try again in a few minutes."),
    )
    BAD_FORM = (
        HTTPStatus.BAD_REQUEST,
        mark("We could not read the form"),
        mark("Nothing was sent. Go back, make the text shorter, and then send it again."),
    )
    LOGIN_REFUSED = (
        HTTPStatus.FORBIDDEN,
        mark("You could not be logged in"),
        mark("Please try again. Does it go wrong again? Then call your practice."),
    )
    BROKEN = (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        mark("Something went wrong on our side"),
        mark("Please try again later, or call your practice."),
    )

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.value[0])

    @property
    def heading(self) -> str:
        """What is wrong."""
        return self.value[1]

    @property
    def text(self) -> str:
        """What it means and what to do."""
        return self.value[2]


def notice_page(site: Site, request: Request, notice: Notice) -> Response:
    """Say what is wrong. htmx shows it above the page, which stays as it is with what was typed."""
    language = language_of(request)
    partial = request.headers.get("hx-request") == "true"
    template = "web/notice_part.html" if partial else "web/notice.html"
    # What was asked for is not repeated: there may be no such page, or no way to ask for it.
    content = {"notice": notice, "path": "/", "query": ""}
    html = site.templates.render(template, language, content)
    in_place = {"HX-Retarget": "#notices", "HX-Reswap": "innerHTML"} if partial else {}
    return HTMLResponse(html, notice.status, in_place)
