"""The SQL of the audit trail: appending to a writer's chain, and reading."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec

from runtime.audit.chain import AuditKey, Head, Link
from runtime.audit.entry import Channel, Entry, Outcome
from runtime.postgres.connection import Connection

# Takes the writer's row, so that of two transactions the second waits for the first and follows it.
_LOCK_HEAD = """
insert into audit_heads (writer, key_id, seq, mac, seal) values ($1, $2, 0, '', '')
on conflict (writer) do update set announced = audit_heads.announced
returning seq, mac
"""
_FIELDS = (
    *("at", "role", "actor", "organisation", "for_role", "for_id", "patient", "practice"),
    *("action", "thing", "channel", "outcome", "reason", "purpose"),
)
_APPEND = """
with added as (
    insert into audit (
        writer, seq, at, role, actor, organisation, for_role, for_id, patient, practice, action, thing,
        channel, outcome, reason, purpose, mac
    )
    select $1, n.* from unnest(
        $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
        $16::text[], $17::bytea[]
    ) as n
)
update audit_heads set seq = $18, mac = $19, seal = $20 where writer = $1
"""
_OF_PATIENT = """
select * from audit
where patient = $1 and ($2::bigint is null or id < $2)
and ($3 or practice = any($4::text[]))
and ($5::timestamptz is null or at >= $5) and ($6::timestamptz is null or at < $6)
order by id desc limit $7
"""
_EXPORT = """
select * from audit
where patient = $1 and ($2::timestamptz is null or at >= $2) and ($3::timestamptz is null or at < $3)
order by id
"""
_ANNOUNCE = """
update audit_heads set announced = seq where writer = $1 and announced < seq returning seq, mac
"""
_CHAINS = """
select writer, key_id, first_seq, first_mac, first_seal, seq, mac, seal from audit_heads order by writer
"""
_LINKS = """
select * from audit where writer = $1 and seq > $2 order by seq limit $3
"""
_WITHOUT_HEAD = """
select distinct writer from audit where writer <> all(array(select writer from audit_heads))
"""
_EXPIRED = """
select seq, mac from audit where writer = $1 and seq < (
    select coalesce(min(seq), $3) from audit where writer = $1 and at >= $2
) order by seq desc limit 1
"""
_DELETE = "delete from audit where writer = $1 and seq <= $2"
_BEGIN_LATER = """
update audit_heads set first_seq = $2, first_mac = $3, first_seal = $4 where writer = $1
"""

_row_of = attrgetter(*_FIELDS)


class StoredEntry(msgspec.Struct, frozen=True):
    """An entry, and its place in the order in which entries are shown."""

    id: int
    entry: Entry


class Chain(msgspec.Struct, frozen=True):
    """The ends of a stored chain, with their seals. `start` is before the first row that is kept."""

    writer: UUID
    key_id: bytes
    start: Head
    start_seal: bytes | None
    head: Head
    seal: bytes


class ChainWriter:
    """Appends to one writer's chain."""

    def __init__(self, writer: UUID, key: AuditKey) -> None:
        self.writer = writer
        self._key = key

    async def append(self, db: Connection, entries: Sequence[Entry]) -> None:
        """Append at least one entry in the caller's transaction; wait for another one that does.

        Raises RuntimeError outside of a transaction, as its lock would not hold.
        """
        if not db.is_in_transaction():
            raise RuntimeError("the audit trail is written in a transaction")
        writer, key = self.writer, self._key
        head = Head(*(await db.fetchrow(_LOCK_HEAD, writer, key.id) or ()))
        links = key.links(writer, head, entries)
        last = Head(links[-1].seq, links[-1].mac)
        columns = zip(*(_row_of(entry) for entry in entries), strict=True)
        seqs, macs = [link.seq for link in links], [link.mac for link in links]
        seal = key.seal(writer, last)
        await db.execute(_APPEND, writer, seqs, *columns, macs, last.seq, last.mac, seal)


async def of_patient(
    db: Connection,
    patient: str,
    practices: Iterable[str] | None,
    before: int | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> list[StoredEntry]:
    """A page of a patient's entries, newest first; of these practices only, unless that is None.

    Times are UTC.
    """
    rows = await db.fetch(
        *(_OF_PATIENT, patient, before, practices is None, list(practices or ())),
        *(since, until, limit),
    )
    return [StoredEntry(row["id"], _entry(row)) for row in rows]


async def export(
    db: Connection, patient: str, since: datetime | None, until: datetime | None
) -> list[Entry]:
    """All of a patient's entries from `since` until before `until` (UTC), oldest first."""
    return [_entry(row) for row in await db.fetch(_EXPORT, patient, since, until)]


async def announce(db: Connection, writer: UUID) -> Head | None:
    """The end of a chain, when it is to be announced: it has grown, and its rows are on the disk."""
    row = await db.fetchrow(_ANNOUNCE, writer)
    return Head(row["seq"], row["mac"]) if row else None


async def chains(db: Connection) -> list[Chain]:
    """All chains."""
    return [
        Chain(
            row["writer"],
            row["key_id"],
            Head(row["first_seq"], row["first_mac"]),
            row["first_seal"],
            Head(row["seq"], row["mac"]),
            row["seal"],
        )
        for row in await db.fetch(_CHAINS)
    ]


async def links(
    db: Connection, writer: UUID, after: int, at_most: int = 10_000
) -> AsyncIterator[list[Link]]:
    """A chain's rows after this number, in pages."""
    while rows := await db.fetch(_LINKS, writer, after, at_most):
        yield [Link(row["seq"], _entry(row), row["mac"]) for row in rows]
        after = rows[-1]["seq"]


async def writers_without_head(db: Connection) -> list[UUID]:
    """Writers of rows whose chain has no head."""
    return [row["writer"] for row in await db.fetch(_WITHOUT_HEAD)]


async def expire(db: Connection, chain: Chain, key: AuditKey, before: datetime) -> int:
    """Delete a chain's first rows, those older than `before` (UTC); return how many. As the tables' owner.

    A chain is cut at the first row that is not older, so a clock that was set back only keeps rows longer.
    """
    last = await db.fetchrow(_EXPIRED, chain.writer, before, chain.head.seq + 1)
    if last is None:
        return 0
    start = Head(last["seq"], last["mac"])
    await db.execute(_DELETE, chain.writer, start.seq)
    seal = key.start_seal(chain.writer, start)
    await db.execute(_BEGIN_LATER, chain.writer, start.seq, start.mac, seal)
    return start.seq - chain.start.seq


def _entry(row: Any) -> Entry:
    values = {field: row[field] for field in _FIELDS}
    return Entry(
        **values | {"channel": Channel(row["channel"]), "outcome": Outcome(row["outcome"])}
    )
