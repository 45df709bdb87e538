"""Whom somebody who works somewhere works for, as the token says."""

from herhaal_client import NotFound
from portal.web.visit import Visit


def own_practice(visit: Visit) -> str:
    """The practice of who is logged in. Raises NotFound for who has none."""
    return _there(visit.session.claims.practice)


def own_pharmacy(visit: Visit) -> str:
    """The pharmacy of who is logged in. Raises NotFound for who has none."""
    return _there(visit.session.claims.pharmacy)


def own_region(visit: Visit) -> str:
    """The region of who is logged in. Raises NotFound for who has none."""
    return _there(visit.session.claims.region)


def _there(named: str | None) -> str:
    if named is None:
        raise NotFound("page", "not-found", status=404)
    return named
