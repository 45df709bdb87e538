"""Access tokens for the demo and for tests about something else: one of somebody who may send the request."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from samples.codes import pharmacy_code, practice_code
from schemas.access import Party

Mint = Callable[..., str]
"""Makes a token: (role, **scope)."""

_RENEWED_S = 600
"""A token is used for ten minutes; it is valid for fifteen."""


@dataclass
class Permitted(httpx.Auth):
    """Adds a token of somebody who may send the request, unless it has one."""

    mint: Mint
    portal: str = "lindewaard-portal"
    """The portal that sends what no person does: it serves all practices that are asked about."""
    requires_request_body = True
    _minted: dict[Any, tuple[float, str]] = field(default_factory=dict)

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        """Add the token."""
        if "authorization" not in request.headers:
            request.headers["authorization"] = self.header(
                request.method, request.url.path, request.content
            )
        yield request

    def header(self, method: str, path: str, content: bytes = b"") -> str:
        """The value of the `Authorization` header for a request."""
        role, scope = _sender(method, path, _body(content), self.portal)
        return f"Bearer {self._token(role, **scope)}"

    def _token(self, role: Party, **scope: Any) -> str:
        key = (role, *sorted(scope.items()))
        made_at, token = self._minted.get(key, (0.0, ""))
        if time.monotonic() - made_at > _RENEWED_S or not token:
            token = self.mint(role, **scope)
            self._minted[key] = time.monotonic(), token
        return token


def _body(content: bytes) -> Mapping[str, Any]:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _sender(
    method: str, path: str, body: Mapping[str, Any], portal: str
) -> tuple[Party, dict[str, Any]]:
    """Who may send this request: a role, and the scope that it needs."""
    if match := re.fullmatch(r"/pharmacies/([^/]*)/prescriptions", path):
        pharmacy = match[1] if re.fullmatch(r"0[12]\d{6}", match[1]) else pharmacy_code(1)
        return Party.PHARMACIST, {"pharmacy": pharmacy}
    if match := re.fullmatch(r"/practices/([^/]*)/reviews", path):
        return Party.ASSISTANT, {"practice": match[1] if _is_agb(match[1]) else practice_code(1)}
    if match := re.fullmatch(r"/practices/([^/]*)/.*", path):
        return Party.MANAGER, {"practice": match[1] if _is_agb(match[1]) else practice_code(1)}
    if method == "PUT":
        by = body.get("by")
        by = by if isinstance(by, dict) else {}
        role = Party.ASSISTANT if by.get("role") == "assistant" else Party.GP
        practice = body.get("practice")
        practice = practice if _is_agb(practice) else practice_code(1)
        return role, {"practice": practice, "sub": by.get("id") or "gp-1"}
    if match := re.fullmatch(r"/patients/(pat_[A-Za-z0-9_-]{4,64})/\w+", path):
        return Party.PATIENT, {"patients": (match[1],)}
    return Party.PORTAL, {"sub": portal}


def _is_agb(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"01\d{6}", value) is not None
