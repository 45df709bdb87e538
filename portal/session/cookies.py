"""The portal's cookies. `__Host-` (RFC 6265bis) ties them to this host, over TLS, for all paths."""

import re
import secrets

from starlette.requests import Request
from starlette.responses import Response

SESSION = "__Host-session"
"""The id of the session; ends with the browser."""
BROWSER = "__Host-login"
"""Binds logins that are under way to this browser: one value for all tabs."""
LANGUAGE = "__Host-language"

LANGUAGE_S = 365 * 24 * 3600

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def read(request: Request, name: str) -> str | None:
    """The value of a cookie that holds a random secret; None for anything that we did not make."""
    value = request.cookies.get(name, "")
    return value if _SECRET.fullmatch(value) else None


def new_secret() -> str:
    """A random value for a cookie, 256 bits."""
    return secrets.token_urlsafe(32)


def write(response: Response, name: str, value: str, max_age: int | None = None) -> None:
    """Set a cookie."""
    response.set_cookie(
        name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="lax"
    )


def remove(response: Response, name: str) -> None:
    """Remove a cookie."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")
