"""Checks one service's audit trail against its key, its heads and what Kafka knows of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from runtime.audit.chain import AuditKey, Head
from runtime.postgres import audit
from runtime.postgres.audit import Chain
from runtime.postgres.connection import Connection
from schemas.records.audit import AuditSealed

Keys = Mapping[bytes, AuditKey]
"""The keys that trails may be made with, by id."""


@dataclass
class Checked:
    """What was found in a service's trail: what is wrong, each in a sentence.

    It has so many chains, of which Kafka knows `announced`, and rows.
    """

    service: str
    chains: int = 0
    rows: int = 0
    announced: int = 0
    wrong: list[str] = field(default_factory=list)

    def found(self, writer: UUID, what: Iterable[str]) -> None:
        """Add findings about a writer's chain."""
        self.wrong += [f"{self.service}, chain {writer}: {each}" for each in what]


async def check_trail(
    db: Connection, service: str, keys: Keys, seals: Iterable[AuditSealed]
) -> Checked:
    """Check all chains of a service. Of `seals`, those that Kafka had before this began."""
    checked = Checked(service)
    announced = {UUID(seal.writer): seal for seal in seals if seal.service == service}
    checked.announced = len(announced)
    async with db.transaction(isolation="repeatable_read", readonly=True):
        for chain in await audit.chains(db):
            checked.chains += 1
            await _check_chain(db, chain, keys, announced.pop(chain.writer, None), checked)
        for writer in await audit.writers_without_head(db):
            checked.found(writer, ["its head is missing"])
    for writer, seal in announced.items():
        checked.found(writer, [f"all of it is missing; Kafka knows {seal.seq} rows"])
    return checked


async def _check_chain(
    db: Connection, chain: Chain, keys: Keys, seal: AuditSealed | None, checked: Checked
) -> None:
    key = keys.get(chain.key_id)
    if key is None:
        checked.found(chain.writer, ["it was made with a key that is not here"])
        return
    before, sealed_mac = chain.start, None
    async for links in audit.links(db, chain.writer, chain.start.seq):
        checked.rows += len(links)
        checked.found(chain.writer, key.breaks(chain.writer, before, links))
        before = Head(links[-1].seq, links[-1].mac)
        if seal is not None:
            sealed_mac = next((k.mac for k in links if k.seq == seal.seq), sealed_mac)
    checked.found(chain.writer, _wrong_ends(chain, key, before))
    if seal is not None:
        checked.found(chain.writer, _not_as_announced(seal, chain, before, sealed_mac))


def _wrong_ends(chain: Chain, key: AuditKey, end: Head) -> Iterator[str]:
    """What is wrong with the beginning or the end of a chain, whose last row is at `end`."""
    if chain.start.seq and chain.start_seal != key.start_seal(chain.writer, chain.start):
        yield f"its beginning, after row {chain.start.seq}, is not where rows were deleted by us"
    if chain.head.seq > end.seq:
        yield f"rows {end.seq + 1} to {chain.head.seq} are missing at the end"
    elif chain.head != end:
        yield f"it goes on after row {chain.head.seq}, where its head is"
    if chain.head.seq and chain.seal != key.seal(chain.writer, chain.head):
        yield "its head was changed"


def _not_as_announced(
    seal: AuditSealed, chain: Chain, end: Head, sealed_mac: bytes | None
) -> Iterator[str]:
    if seal.seq > end.seq:
        yield f"Kafka knows rows up to {seal.seq}, and here they end at {end.seq}"
    elif seal.seq > chain.start.seq and sealed_mac != bytes.fromhex(seal.mac):
        yield f"row {seal.seq} is not the one that Kafka knows"
