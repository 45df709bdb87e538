"""Authorization codes and refresh tokens, in memory: whoever is logged in logs in again after a restart."""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.local.issuer.tokens import Login

CODE_S = 60
SESSION_S = 12 * 3600


@dataclass
class _Code:
    login: Login
    redirect_uri: str
    challenge: str
    expires: float
    used: bool = False


@dataclass
class _Session:
    login: Login
    expires: float
    current: str
    used: set[str] = field(default_factory=set)


class Grants:
    """What was granted and can still be redeemed. A code or refresh token that comes twice ends its session."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._codes: dict[str, _Code] = {}
        self._sessions: dict[str, _Session] = {}

    def new_code(self, login: Login, redirect_uri: str, challenge: str) -> str:
        """Make a code that this client can redeem once, within a minute."""
        self._forget_expired()
        code = secrets.token_urlsafe(32)
        self._codes[code] = _Code(login, redirect_uri, challenge, self._clock() + CODE_S)
        return code

    def redeem(
        self, code: str, client: str, redirect_uri: str, verifier: str
    ) -> tuple[Login, str] | None:
        """Begin the session of a code; return its login and first refresh token. None: not redeemable.

        A code is used up by its first attempt, also by one that fails.
        """
        self._forget_expired()
        found = self._codes.get(code)
        if found is None:
            return None
        if found.used:
            self.end(found.login.sid)
            return None
        found.used = True
        if (client, redirect_uri) != (found.login.client, found.redirect_uri):
            return None
        if not secrets.compare_digest(s256(verifier), found.challenge):
            return None
        refresh = _refresh_token(found.login.sid)
        expires = self._clock() + SESSION_S
        self._sessions[found.login.sid] = _Session(found.login, expires, refresh)
        return found.login, refresh

    def rotate(self, refresh: str, client: str) -> tuple[Login, str] | None:
        """Replace a refresh token; return its login and the next one. None: not valid, or used before."""
        self._forget_expired()
        session = self._sessions.get(refresh.partition(".")[0])
        if session is None or session.login.client != client:
            return None
        if refresh in session.used:
            self.end(session.login.sid)
            return None
        if not secrets.compare_digest(refresh.encode(), session.current.encode()):
            return None
        session.used.add(refresh)
        session.current = _refresh_token(session.login.sid)
        return session.login, session.current

    def end(self, sid: str) -> None:
        """End a session: its refresh tokens are worth nothing from now on."""
        self._sessions.pop(sid, None)

    def _forget_expired(self) -> None:
        now = self._clock()
        self._codes = {name: code for name, code in self._codes.items() if code.expires > now}
        self._sessions = {sid: one for sid, one in self._sessions.items() if one.expires > now}


def s256(verifier: str) -> str:
    """The code challenge of a verifier (RFC 7636, S256)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _refresh_token(sid: str) -> str:
    return f"{sid}.{secrets.token_urlsafe(32)}"
