"""Reads requests of OAuth 2 and OpenID Connect, and says in the protocol's words what is wrong with them."""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

from deploy.local.issuer.clients import Client
from deploy.local.issuer.systems import digest_of

LONGEST = 8192
"""Bytes of a query or form."""

# 32 bytes in base64url, as every S256 challenge; a verifier is 43 to 128 unreserved characters (RFC 7636).
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")

Parameters = Mapping[str, str]


@dataclass
class OAuthError(Exception):
    """An error that the client is told: a code of RFC 6749 or OpenID Connect, and what to do about it."""

    code: str
    description: str
    status: int = 400


class NotForRedirect(Exception):
    """A request whose client or redirect URI is unknown: the person reads this, and goes nowhere."""


@dataclass(frozen=True)
class LoginRequest:
    """A valid authorization request."""

    client: str
    redirect_uri: str
    challenge: str
    state: str | None
    nonce: str | None
    profile: bool


def parameters(encoded: bytes) -> Parameters:
    """Decode a query or form. Raises OAuthError when it is too long, or names a parameter twice."""
    if len(encoded) > LONGEST:
        raise OAuthError("invalid_request", f"More than {LONGEST} bytes.")
    try:
        pairs = parse_qsl(encoded.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise OAuthError("invalid_request", "Neither a query nor a form.") from None
    if len(pairs) != len({name for name, _ in pairs}):
        raise OAuthError("invalid_request", "A parameter is given twice.")
    return {name: value for name, value in pairs if value}


def redirect_of(given: Parameters, clients: Mapping[str, Client]) -> str:
    """The redirect URI, when it is one of this client's. Raises NotForRedirect."""
    client = clients.get(given.get("client_id", ""))
    if client is None:
        raise NotForRedirect("There is no such client_id.")
    if given.get("redirect_uri") not in client.redirect_uris:
        raise NotForRedirect(f"The redirect_uri is none of those of {client.id}.")
    return given["redirect_uri"]


def login_request(given: Parameters) -> LoginRequest:
    """Read an authorization request whose client and redirect URI are known. Raises OAuthError."""
    if given.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code.")
    if "openid" not in given.get("scope", "").split():
        raise OAuthError("invalid_scope", "scope must contain openid.")
    if given.get("response_mode", "query") != "query":
        raise OAuthError("invalid_request", "response_mode must be query.")
    if "request" in given or "request_uri" in given:
        raise OAuthError("request_not_supported", "Send the parameters themselves.")
    if given.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "PKCE is required: code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(given.get("code_challenge", "")):
        raise OAuthError("invalid_request", "PKCE is required: code_challenge must be a SHA-256.")
    if given.get("prompt") == "none":
        raise OAuthError("login_required", "Here everybody chooses who they are, each time.")
    return LoginRequest(
        given["client_id"],
        given["redirect_uri"],
        given["code_challenge"],
        given.get("state"),
        given.get("nonce"),
        "profile" in given.get("scope", "").split(),
    )


def verifier_of(given: Parameters) -> str:
    """The code verifier. Raises OAuthError when there is none of the right form."""
    if not _VERIFIER.fullmatch(verifier := given.get("code_verifier", "")):
        raise OAuthError(
            "invalid_request", "code_verifier must be 43 to 128 characters (RFC 7636)."
        )
    return verifier


def authenticated(
    authorization: str | None, given: Parameters, clients: Mapping[str, Client]
) -> Client:
    """The client of a token request, by its secret in the header or the form. Raises OAuthError."""
    if authorization and "client_secret" in given:
        raise OAuthError("invalid_request", "The client_secret is given twice.")
    name, secret = _basic(authorization) if authorization else (given.get("client_id", ""), None)
    secret = secret or given.get("client_secret")
    client = clients.get(name)
    if given.get("client_id", name) != name or client is None or not _proves(client, secret):
        raise OAuthError("invalid_client", "The client_id or its secret is not right.", 401)
    return client


def _proves(client: Client, secret: str | None) -> bool:
    if client.secret_digest is None or secret is None:
        return client.secret_digest is secret
    return secrets.compare_digest(client.secret_digest, digest_of(secret))


def _basic(authorization: str) -> tuple[str, str]:
    """Read HTTP Basic, in which OAuth encodes both parts as in a form (RFC 6749, section 2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        decoded = ""
    name, colon, secret = decoded.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise OAuthError("invalid_client", "The Authorization header is not HTTP Basic.", 401)
    return unquote_plus(name), unquote_plus(secret)
