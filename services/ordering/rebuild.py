"""Rebuilds ordering's projection, its copy of the overviews, from medication.status.

Orders and timers are not rebuilt: they do not follow from topics alone.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runtime.messages.message import Message
from runtime.postgres.connection import Connection
from runtime.postgres.statements import Writes
from runtime.rebuild.declaration import Rebuild
from schemas.topics import MEDICATION_STATUS
from services.ordering import store
from services.ordering.handlers import OrderingHandler
from services.ordering.work import Work


class OverviewsBuilder(OrderingHandler):
    """Stores overviews as ordering does; it loads no orders, so it decides none."""

    def __init__(self) -> None:
        super().__init__(practices={}, pharmacies={})

    async def load(self, db: Connection, messages: Sequence[Message[Any]]) -> Work:
        """Load the overviews of these patients that are already built."""
        patients = {message.key for message in messages}
        return Work(overviews=await store.overviews(db, patients) if patients else {})

    async def write(self, db: Connection, work: Work) -> None:
        """Write the overviews that changed."""
        writes = Writes()
        self.save(work, writes)
        await writes.send(db)

    async def settle(self, db: Connection) -> None:
        """Do nothing: every batch is written at once."""


REBUILD: Rebuild[Work] = Rebuild(
    module=__name__,
    service="ordering",
    inputs=(MEDICATION_STATUS,),
    migrations=Path(__file__).parent / "migrations",
    builder=lambda _: OverviewsBuilder(),
    tables=store.COMPARED,
    losses=frozenset({"overviews"}),
)
