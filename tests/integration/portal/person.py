"""Somebody who is logged in at the portal, and asks pages and sends forms as a browser without JavaScript."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from deploy.local import LocalStack
from portal.session.cookies import LANGUAGE, SESSION
from schemas.access import Claims
from tests.harness.portal import begin_session

_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


@dataclass(frozen=True)
class Person:
    """One session, in English."""

    http: httpx.AsyncClient
    url: str
    cookies: str

    @classmethod
    async def logged_in(
        cls, stack: LocalStack, http: httpx.AsyncClient, claims: Claims
    ) -> "Person":
        """Begin a session."""
        id = await begin_session(stack, claims, "Somebody Else")
        cookies = f"{SESSION}={id}; {LANGUAGE}=en"
        return cls(http, stack.endpoints["portal"], cookies)

    async def look(self, path: str) -> httpx.Response:
        """Ask a page."""
        return await self.http.get(f"{self.url}{path}", headers={"cookie": self.cookies})

    async def send(
        self, page: str, path: str, form: Mapping[str, str], *, htmx: bool = False
    ) -> httpx.Response:
        """Send a form of a page; the answer itself, not the page to which it leads."""
        token = _CSRF.search((await self.look(page)).text)
        assert token is not None
        headers = {"cookie": self.cookies, "origin": self.url}
        if htmx:
            headers["hx-request"] = "true"
        return await self.http.post(
            f"{self.url}{path}", data={"csrf": token[1], **form}, headers=headers
        )
