"""Grants, revokes and lists proxies: a row here, and a record that every service checks tokens against."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import uuid4

from runtime.messages.cloudevents import event_id, outgoing, tombstone
from runtime.messages.message import Outgoing
from runtime.postgres.connection import Connection
from runtime.resources import Sender
from schemas.api.proxies import Proxy, ProxyKind, ProxyView
from schemas.base import Actor, UtcDatetime
from schemas.records.access import ProxyGrant, grant_key
from schemas.topics import ACCESS_PROXIES
from services.notification.people import proxy_store, store
from services.notification.people.domain.ends import Refused, end_of
from services.notification.people.keys import Erased
from services.notification.people.people import People
from services.notification.people.proxy_store import StoredProxy
from services.notification.people.sealed import seal, unseal

SOURCE = "nl.herhaal/notification/http"


Note = Callable[[Connection], Awaitable[None]]
"""Writes the audit entry of a change, in a transaction of this connection."""


class NoProxy(Exception):
    """Nobody may stand in so; `refused` says why."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused)
        self.refused = refused


class _Granted(Proxy):
    """What is sealed: the proxy, and who granted it."""

    granted_by: Actor
    granted_at: UtcDatetime


class Proxies:
    """Who stands in for whom. Each method is given a connection outside of a transaction; times are UTC."""

    def __init__(
        self,
        people: People,
        sender: Sender,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._people = people
        self._sender = sender
        self._clock = clock

    async def grant(
        self, db: Connection, patient: str, proxy: str, wanted: Proxy, by: Actor, note: Note
    ) -> ProxyView:
        """Let somebody stand in for a patient: the row with its `note`, then the record. Safe to repeat.

        Raises:
            NoProxy: the law or the dates do not allow it.
            Erased: there are no data of the patient.
            NotPublished: Kafka did not take the record: it may not count yet.
        """
        async with proxy_store.locked(db, grant_key(patient, proxy)):
            async with db.transaction():
                granted = await self._save(db, patient, proxy, wanted, by)
                await note(db)
            await self._sender.send(_record(patient, proxy, granted))
        return ProxyView(**dict(granted), proxy=proxy)

    async def revoke(self, db: Connection, patient: str, proxy: str, note: Note) -> None:
        """Take a grant back, if there is one: the `note`, the record, then the row. Raises NotPublished."""
        async with proxy_store.locked(db, grant_key(patient, proxy)):
            async with db.transaction():
                await note(db)
            await self._sender.send(revocation(patient, proxy, self._clock()))
            await proxy_store.delete(db, patient, proxy)

    async def of_patient(self, db: Connection, patient: str) -> list[ProxyView]:
        """Those who stand in for a patient now. Raises Erased."""
        rows = await proxy_store.of_patient(db, patient, self._clock())
        key = await self._people.key(patient) if rows else None
        if rows and key is None:
            raise Erased
        return [_view(row, key) for row in rows if key is not None]

    async def of_proxy(self, db: Connection, proxy: str) -> list[StoredProxy]:
        """The patients for whom somebody stands in now."""
        return await proxy_store.of_proxy(db, proxy, self._clock())

    async def _save(
        self, db: Connection, patient: str, proxy: str, wanted: Proxy, by: Actor
    ) -> _Granted:
        await store.share_lock(db)
        row = await store.person_for_update(db, patient)
        person = await self._people.open(row) if row else None
        key = await self._people.key(patient)
        if person is None or key is None:
            raise Erased
        now = self._clock()
        end = end_of(wanted.kind, person.birth_date, wanted.consent, wanted.until, now)
        if isinstance(end, Refused):
            raise NoProxy(end)
        fields = {name: getattr(wanted, name) for name in Proxy.model_fields}
        granted = _Granted(**fields | {"until": end}, granted_by=by, granted_at=now)
        sealed = seal(key, granted.model_dump_json().encode(), _about(patient, proxy))
        await proxy_store.save(db, patient, proxy, granted.kind.value, end, sealed)
        return granted


def revocation(patient: str, proxy: str, at: datetime) -> Outgoing:
    """The record that takes a grant back, at this time (UTC)."""
    key = grant_key(patient, proxy)
    return tombstone(
        ACCESS_PROXIES.name,
        ProxyGrant,
        key=key,
        id=str(uuid4()),
        source=SOURCE,
        subject=key,
        at=at,
    )


def _record(patient: str, proxy: str, granted: _Granted) -> Outgoing:
    key = grant_key(patient, proxy)
    return outgoing(
        ACCESS_PROXIES.name,
        ProxyGrant(grant=key, patient=patient, proxy=proxy, until=granted.until),
        key=key,
        id=event_id(ProxyGrant.TYPE, key, granted.granted_at.isoformat()),
        source=SOURCE,
        subject=key,
        at=granted.granted_at,
        traceparent=None,
    )


def _view(row: StoredProxy, key: bytes) -> ProxyView:
    granted = unseal(key, row.sealed, _about(row.patient, row.proxy))
    return ProxyView(**dict(_Granted.model_validate_json(granted)), proxy=row.proxy)


def kind_of(row: StoredProxy) -> ProxyKind:
    """Why this proxy stands in."""
    return ProxyKind(row.kind)


def _about(patient: str, proxy: str) -> str:
    return f"proxy\0{patient}\0{proxy}"
