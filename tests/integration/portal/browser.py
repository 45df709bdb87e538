"""A browser without a window: it keeps cookies, follows no redirect by itself, and logs in at the issuer."""

import re
from contextlib import AbstractAsyncContextManager
from http.cookies import Morsel, SimpleCookie
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import httpx

from deploy.local import LocalStack
from portal.session.cookies import SESSION

OURS = {"sec-fetch-site": "same-origin"}
"""What a browser says of a form that a page of ours sent."""

_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


class Browser(AbstractAsyncContextManager["Browser"]):
    """A browser at the portal of a stack."""

    def __init__(self, stack: LocalStack) -> None:
        self.site = stack.endpoints["portal"]
        self.cookies: dict[str, Morsel[str]] = {}
        # Browsers count this machine as secure; httpx does not, and would send no cookie of ours.
        hooks: Any = {"request": [self._send_cookies], "response": [self._keep_cookies]}
        self.http = httpx.AsyncClient(base_url=self.site, timeout=30, event_hooks=hooks)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.http.aclose()

    @property
    def session(self) -> str:
        """The cookie of the session; empty when there is none."""
        found = self.cookies.get(SESSION)
        return found.value if found else ""

    def plant(self, session: str) -> None:
        """Put the cookie of a session there."""
        made: SimpleCookie = SimpleCookie({SESSION: session})
        self.cookies |= made

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask for a page."""
        return await self.http.get(path, headers={_named(name): headers[name] for name in headers})

    async def begin(self, to: str = "/") -> str:
        """Begin a login; return where the issuer's page is."""
        answer = await self.http.get("/login", params={"to": to})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def choose(self, authorize: str, person: str = "pat_example01") -> str:
        """Choose a person on the issuer's page; return the way back, with the code."""
        given = dict(parse_qsl(urlsplit(authorize).query))
        answer = await self.http.post(authorize.partition("?")[0], data=given | {"person": person})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def login(self, person: str = "pat_example01", to: str = "/") -> httpx.Response:
        """Log in; return the portal's last answer, which leads to a page."""
        answer = await self.get(await self.choose(await self.begin(to), person))
        assert answer.status_code == 303, answer.text
        return answer

    async def csrf(self) -> str:
        """The token of this session's forms, from a page."""
        page = await self.http.get("/", follow_redirects=True)
        found = _CSRF.search(page.text)
        assert found is not None
        return found[1]

    async def post(
        self, path: str, csrf: str | None = None, headers: Any = OURS, **form: str
    ) -> httpx.Response:
        """Send a form, with the session's token unless another is given."""
        token = await self.csrf() if csrf is None else csrf
        return await self.http.post(path, data=form | {"csrf": token}, headers=headers)

    async def _send_cookies(self, request: httpx.Request) -> None:
        request.headers["cookie"] = "; ".join(
            f"{name}={one.value}" for name, one in self.cookies.items()
        )

    async def _keep_cookies(self, response: httpx.Response) -> None:
        for header in response.headers.get_list("set-cookie"):
            for name, one in SimpleCookie(header).items():
                if one["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = one


def goes_to_login(answer: httpx.Response) -> bool:
    """Tell whether an answer leads to login."""
    return answer.status_code == 303 and answer.headers["location"].startswith("/login?to=")


def _named(name: str) -> str:
    return name.replace("_", "-")
