"""The issuer's HTTP API: discovery, keys, login, tokens, logout (OAuth 2.1, OpenID Connect, RFC 9207)."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from deploy.local.issuer.clients import Client
from deploy.local.issuer.grants import Grants
from deploy.local.issuer.keys import ALGORITHM
from deploy.local.issuer.page import HERE, error_page, language_of, logged_out_page, login_page
from deploy.local.issuer.people import PEOPLE, Person
from deploy.local.issuer.requests import (
    NotForRedirect,
    OAuthError,
    Parameters,
    authenticated,
    login_request,
    parameters,
    redirect_of,
    verifier_of,
)
from deploy.local.issuer.tokens import ACCESS_S, Login, Minter

_NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def create_app(
    minter: Minter,
    clients: Mapping[str, Client],
    people: Sequence[Person] = PEOPLE,
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """Make the issuer's app, for these clients and people."""
    issuer = _Issuer(minter, clients, people, clock)
    app = FastAPI(title="herhaal issuer", docs_url=None, redoc_url=None, openapi_url=None)
    # A page on the web must not reach the issuer under a name of its own that leads to 127.0.0.1.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    app.add_exception_handler(OAuthError, _oauth_error)
    app.add_exception_handler(NotForRedirect, _not_for_redirect)
    for path, endpoint, methods in (
        ("/.well-known/openid-configuration", issuer.discovery, ["GET"]),
        ("/jwks", issuer.jwks, ["GET"]),
        ("/authorize", issuer.ask, ["GET"]),
        ("/authorize", issuer.choose, ["POST"]),
        ("/token", issuer.token, ["POST"]),
        ("/logout", issuer.logout, ["GET", "POST"]),
        ("/page.css", issuer.css, ["GET"]),
        ("/readyz", issuer.ready, ["GET"]),
    ):
        app.add_api_route(path, endpoint, methods=methods, response_model=None)
    return app


class _Issuer:
    def __init__(
        self,
        minter: Minter,
        clients: Mapping[str, Client],
        people: Sequence[Person],
        clock: Callable[[], float],
    ) -> None:
        self._minter = minter
        self._clients = clients
        self._people = people
        self._by_sub = {person.claims.sub: person for person in people}
        self._clock = clock
        self._grants = Grants(clock)

    async def discovery(self) -> Response:
        """The metadata of OpenID Connect Discovery."""
        url = self._minter.issuer
        return JSONResponse(
            {
                "issuer": url,
                "authorization_endpoint": f"{url}/authorize",
                "token_endpoint": f"{url}/token",
                "jwks_uri": f"{url}/jwks",
                "end_session_endpoint": f"{url}/logout",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": list(self._granting),
                "scopes_supported": ["openid", "profile"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": [
                    "none",
                    "client_secret_basic",
                    "client_secret_post",
                ],
                "ui_locales_supported": ["nl", "en"],
                "authorization_response_iss_parameter_supported": True,
                "request_uri_parameter_supported": False,
            }
        )

    async def jwks(self) -> Response:
        """The public key."""
        return JSONResponse(self._minter.jwks)

    async def css(self) -> Response:
        """The pages' stylesheet."""
        return Response((HERE / "page.css").read_bytes(), media_type="text/css")

    async def ready(self) -> Response:
        """Say that it answers."""
        return JSONResponse({"ready": True})

    async def ask(self, request: Request) -> Response:
        """Show who one can log in as."""
        given = parameters(request.url.query.encode())
        target = redirect_of(given, self._clients)
        try:
            login_request(given)
        except OAuthError as error:
            return self._back(target, given, error=error.code, error_description=error.description)
        page = login_page(self._people, given, language_of(given.get("ui_locales", "")))
        return _page(page, form_target=target)

    async def choose(self, request: Request) -> Response:
        """Log in as the chosen person: back to the client, with a code."""
        given = parameters(await request.body())
        target = redirect_of(given, self._clients)
        person = self._by_sub.get(given.get("person", ""))
        try:
            asked = login_request(given)
            if person is None:
                raise OAuthError("access_denied", "There is no such person.")
        except OAuthError as error:
            return self._back(target, given, error=error.code, error_description=error.description)
        sid = secrets.token_urlsafe(16)
        name = person.name if asked.profile else None
        login = Login(person.claims, asked.client, sid, int(self._clock()), asked.nonce, name)
        code = self._grants.new_code(login, target, asked.challenge)
        return self._back(target, given, code=code)

    async def token(self, request: Request) -> Response:
        """Give tokens for a code, a refresh token, or a system's secret."""
        given = parameters(await request.body())
        client = authenticated(request.headers.get("authorization"), given, self._clients)
        grant = self._granting.get(given.get("grant_type", ""))
        if grant is None:
            raise OAuthError("unsupported_grant_type", f"There are {', '.join(self._granting)}.")
        return JSONResponse(grant(client, given), headers=_NOT_KEPT)

    async def logout(self, request: Request) -> Response:
        """End the session of an ID token, and go back to the client when its address is one of the client's."""
        encoded = await request.body() if request.method == "POST" else request.url.query.encode()
        given = parameters(encoded)
        session = self._minter.session_of(given.get("id_token_hint", ""))
        if session is not None:
            self._grants.end(session[1])
        client = self._clients.get(session[0] if session else given.get("client_id", ""))
        target = given.get("post_logout_redirect_uri")
        if client is None or target not in client.after_logout:
            return _page(logged_out_page(language_of(given.get("ui_locales", ""))))
        state = {"state": given["state"]} if "state" in given else {}
        return RedirectResponse(f"{target}?{urlencode(state)}" if state else target, 303, _NOT_KEPT)

    @property
    def _granting(self) -> Mapping[str, Callable[[Client, Parameters], Mapping[str, object]]]:
        return {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh,
            "client_credentials": self._by_secret,
        }

    def _by_code(self, client: Client, given: Parameters) -> Mapping[str, object]:
        verifier = verifier_of(given)
        code, target = given.get("code", ""), given.get("redirect_uri", "")
        return self._of_session(self._grants.redeem(code, client.id, target, verifier))

    def _by_refresh(self, client: Client, given: Parameters) -> Mapping[str, object]:
        return self._of_session(self._grants.rotate(given.get("refresh_token", ""), client.id))

    def _by_secret(self, client: Client, _: Parameters) -> Mapping[str, object]:
        if client.system is None:
            raise OAuthError("unauthorized_client", f"{client.id} is no system of its own.")
        return self._bearer(self._minter.access_token(client.system, client.id))

    def _of_session(self, granted: tuple[Login, str] | None) -> Mapping[str, object]:
        if granted is None:
            raise OAuthError("invalid_grant", "It is not valid, no longer, or was used before.")
        login, refresh = granted
        access = self._minter.access_token(login.claims, login.client)
        id_token = self._minter.id_token(login)
        return {
            **self._bearer(access),
            "refresh_token": refresh,
            "id_token": id_token,
            "scope": "openid",
        }

    def _bearer(self, access_token: str) -> Mapping[str, object]:
        return {"access_token": access_token, "token_type": "Bearer", "expires_in": ACCESS_S}

    def _back(self, target: str, given: Parameters, **answer: str) -> Response:
        """Redirect to the client with an answer, its `state`, and who gives it (RFC 9207)."""
        state = {"state": given["state"]} if "state" in given else {}
        query = urlencode({**answer, **state, "iss": self._minter.issuer})
        return RedirectResponse(f"{target}?{query}", 303, _NOT_KEPT)


def _page(html: str, status: int = 200, form_target: str = "") -> Response:
    # Browsers also hold the redirect that answers a form to `form-action`.
    policy = (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none';"
        f" frame-ancestors 'none'; form-action 'self' {form_target}".rstrip()
    )
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", **_NOT_KEPT}
    return HTMLResponse(html, status, headers)


async def _oauth_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, OAuthError)
    challenge = {"WWW-Authenticate": 'Basic realm="herhaal"'} if error.status == 401 else {}
    body = {"error": error.code, "error_description": error.description}
    return JSONResponse(body, error.status, _NOT_KEPT | challenge)


async def _not_for_redirect(_: Request, error: Exception) -> Response:
    return _page(error_page(str(error), "nl"), 400)
