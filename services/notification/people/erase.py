"""Erases a person: the key first, so that nothing can be read from then on, then what the key sealed."""

from collections.abc import Collection
from datetime import datetime

from runtime.postgres.connection import Connection
from runtime.resources import Sender
from schemas.records.access import grant_key
from services.notification import reads_store
from services.notification.people import proxy_store, store
from services.notification.people.keys import PatientKeys
from services.notification.people.proxies import revocation
from services.notification.preferences import store as preferences_store


async def is_known(db: Connection, keys: PatientKeys, patient: str) -> bool:
    """Tell whether there is, or was, anything of this person."""
    row = await store.person(db, patient)
    return row is not None or keys.is_erased(patient) or keys.open(patient) is not None


async def erase(
    db: Connection,
    sender: Sender,
    keys: PatientKeys,
    patient: str,
    granted: Collection[str],
    at: datetime,
) -> None:
    """Erase a person; `at` is now (UTC). What was interrupted is completed by doing it again.

    `granted` are the proxies for whom `access.proxies` has a record: a restored database may not know of them.
    The connection must be outside of a transaction.

    Raises:
        NotPublished: Kafka did not take back a proxy. The person is unreadable already.
    """
    async with db.transaction():
        await store.lock_alone(db)
        keys.erase(patient)
        await store.erase_person(db, patient, at)
        await reads_store.delete(db, patient)
        await preferences_store.delete(db, patient)
    for proxy in sorted({*granted, *await proxy_store.all_of_patient(db, patient)}):
        async with proxy_store.locked(db, grant_key(patient, proxy)):
            await sender.send(revocation(patient, proxy, at))
            await proxy_store.delete(db, patient, proxy)
