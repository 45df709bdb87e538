"""Keeps what is a person's own from being written after the person was erased."""

from runtime.http.problems import not_found
from runtime.postgres.connection import Connection
from services.notification.people import store


async def require_not_erased(db: Connection, patient: str, what: str) -> None:
    """Raise the 404 for `what` when the patient was erased; nobody erases them until the transaction ends.

    Somebody who was never registered passes: portals may use a pseudonym without telling who it is.
    """
    await store.share_lock(db)
    row = await store.person(db, patient)
    if row is not None and row.erased_at is not None:
        raise not_found(what)
