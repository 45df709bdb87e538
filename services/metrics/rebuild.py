"""Rebuilds metrics' projections, all its counts, from the events."""

from collections import Counter
from pathlib import Path

from runtime.postgres.connection import Connection
from runtime.postgres.statements import Writes
from runtime.rebuild.declaration import Rebuild
from services.metrics import store
from services.metrics.domain.counting import LineCell, OrderCell
from services.metrics.handlers import INPUTS, MetricsHandler, Work

MAX_CELLS = 100_000
"""How many daily counts are summed in memory before they are written."""


class MetricsBuilder(MetricsHandler):
    """Counts as metrics does; sums daily counts in memory over many batches."""

    def __init__(self) -> None:
        self._lines: Counter[LineCell] = Counter()
        self._orders: Counter[OrderCell] = Counter()

    async def write(self, db: Connection, work: Work) -> None:
        """Write how the orders are counted, and hold back the changes of the daily counts."""
        writes = Writes()
        if work.orders.changed:
            store.save_counted(writes, work.orders)
        await writes.send(db)
        self._lines.update(work.lines)
        self._orders.update(work.new_orders)
        if len(self._lines) > MAX_CELLS:
            await self.settle(db)

    async def settle(self, db: Connection) -> None:
        """Write the daily counts that were held back."""
        lines, self._lines = self._lines, Counter()
        orders, self._orders = self._orders, Counter()
        writes = Writes()
        if changes := {cell: change for cell, change in lines.items() if change}:
            store.add_lines(writes, changes)
        if orders:
            store.add_orders(writes, orders)
        await writes.send(db)


REBUILD: Rebuild[Work] = Rebuild(
    module=__name__,
    service="metrics",
    inputs=INPUTS,
    migrations=Path(__file__).parent / "migrations",
    builder=lambda _: MetricsBuilder(),
    tables=store.COMPARED,
    losses=frozenset({"counted_orders"}),
)
