"""Addresses of PostgreSQL (`postgresql://role@host/database`)."""

from urllib.parse import urlsplit


def database_dsn(dsn: str, database: str) -> str:
    """Make the DSN of another database of the same server, with the same role."""
    return urlsplit(dsn)._replace(path=f"/{database}").geturl()
