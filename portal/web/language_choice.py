"""In which language a page is shown."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal.session import cookies
from portal.web.languages import DEFAULT, accepted, known
from schemas.reasons import Language


def language_of(request: Request) -> Language:
    """The language that was chosen at this browser, or else the one that it asks for, or else Dutch."""
    chosen = known(request.cookies.get(cookies.LANGUAGE))
    return chosen or accepted(request.headers.get("accept-language", "")) or DEFAULT


async def choose_language(request: Request) -> Response:
    """Keep the chosen language at this browser, and go back to the page."""
    language = known(request.path_params["language"]) or DEFAULT
    response = RedirectResponse(local_path(request.query_params.get("to", "")), 303)
    cookies.write(response, cookies.LANGUAGE, language, cookies.LANGUAGE_S)
    return response


def local_path(path: str) -> str:
    """A path of ours; the start page for anything that could lead elsewhere."""
    # A browser takes a backslash for a slash, and drops tabs and line breaks.
    ours = path.startswith("/") and not path.startswith("//")
    plain = path.isprintable() and "\\" not in path and len(path) <= 500
    return path if ours and plain else "/"
