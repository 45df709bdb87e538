"""Addresses of PostgreSQL (`postgresql://role@host/database`), and which of them must be encrypted."""

import re
from urllib.parse import parse_qsl, unquote, urlsplit

from runtime.issuers import is_loopback

_HOST = re.compile(r"\[([^\]]*)\]|([^:]*)")


def database_dsn(dsn: str, database: str) -> str:
    """Make the DSN of another database of the same server, with the same role."""
    return urlsplit(dsn)._replace(path=f"/{database}").geturl()


def require_tls(dsn: str) -> None:
    """Require `sslmode=verify-full`, unless every host that the DSN names is this machine.

    Raises ValueError, which does not quote the DSN.
    """
    parts = urlsplit(dsn)
    # Of two equal names the last one counts, and a host before the path more than one in the query, as for
    # asyncpg and libpq.
    options = dict(parse_qsl(parts.query))
    if options.get("sslmode") == "verify-full":
        return
    hosts = parts.netloc.partition("@")[2] if "@" in parts.netloc else parts.netloc
    named = hosts or options.get("host", "")
    if not all(_is_here(host) for host in named.split(",")):
        raise ValueError(
            "PostgreSQL is not reached over loopback, so its address needs sslmode=verify-full and"
            " sslrootcert; HERHAAL_INSECURE_DATABASE=true allows it without"
        )


def _is_here(host: str) -> bool:
    """Tell whether a host, with its port, is loopback or the folder of a Unix socket."""
    found = _HOST.match(host)
    assert found is not None, "the pattern matches every text"
    name = unquote(found[1] or found[2] or "")
    return name.startswith("/") or is_loopback(name)
