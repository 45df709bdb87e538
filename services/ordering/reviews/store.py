"""The SQL of lines in review."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from runtime.messages.encoding import decoder
from runtime.postgres.connection import Connection
from schemas.base import Reviewer
from services.ordering.domain.order import Line, Order

_ORDER = decoder(Order)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The subquery guarantees an index lookup for each order, which a join does not.
_LINES_IN_REVIEW = """
with page as (
    select order_id, line, placed_at from order_lines
    where practice = $1 and outcome = 'review' and (placed_at, order_id, line) > ($2, $3, $4)
        and ($6::text is null or reviewer = $6 or reviewer is null)
    order by placed_at, order_id, line limit $5
), counted as (
    select count(*) as total from order_lines where practice = $1 and outcome = 'review'
        and ($6::text is null or reviewer = $6 or reviewer is null)
)
select total, line, (
    select body from orders where orders.order_id = page.order_id and orders.placed_at = page.placed_at
) as body
from counted left join page on true
order by placed_at, page.order_id, line
"""

_SIGNALLED = """
with page as (
    select order_id, line, placed_at from order_lines where practice = $1 and signal is not null
    order by placed_at, order_id, line limit $2
)
select line, (
    select body from orders where orders.order_id = page.order_id and orders.placed_at = page.placed_at
) as body
from page order by placed_at, order_id, line
"""

MOST_SIGNALLED = 100
"""Approved lines to decide again that are shown: the practice is to decide each soon."""

CURSOR = r"^[0-9]{1,17}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9]{1,2}$"
"""What `Position.cursor` looks like."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the list of lines in review, which is in this order."""

    placed_at: datetime
    order_id: UUID
    line: int

    @classmethod
    def read(cls, cursor: str) -> Self:
        """Read a cursor of this form."""
        placed_us, rest = cursor.split("-", 1)
        order_id, line = rest.rsplit("-", 1)
        return cls(_EPOCH + timedelta(microseconds=int(placed_us)), UUID(order_id), int(line))

    @property
    def cursor(self) -> str:
        """The place as text, which names nobody."""
        placed_us = (self.placed_at - _EPOCH) // timedelta(microseconds=1)
        return f"{placed_us}-{self.order_id}-{self.line}"


START = Position(_EPOCH, UUID(int=0), 0)
"""Before the first line."""


@dataclass(frozen=True, slots=True)
class ToDecide:
    """A line that a person is to decide, with its order."""

    order: Order
    line: Line

    @property
    def position(self) -> Position:
        """Its place in the list."""
        return Position(self.order.placed_at, self.order.order_id, self.line.number)


async def lines_in_review(
    db: Connection, practice: str, after: Position, limit: int, reviewer: Reviewer | None = None
) -> tuple[Sequence[ToDecide], int]:
    """A page of a practice's lines in review, those placed first first, and how many there are in all.

    With a `reviewer` those alone that this one is to decide, and those of which nobody says who.
    """
    rows = await db.fetch(
        _LINES_IN_REVIEW, practice, after.placed_at, after.order_id, after.line, limit, reviewer
    )
    page = ((row["line"], row["body"]) for row in rows if row["body"] is not None)
    return _found(page), rows[0]["total"]


async def signalled_lines(db: Connection, practice: str) -> Sequence[ToDecide]:
    """A practice's approved lines of which the medicine was stopped since, those placed first first."""
    rows = await db.fetch(_SIGNALLED, practice, MOST_SIGNALLED)
    return _found((row["line"], row["body"]) for row in rows)


def _found(rows: Iterable[tuple[int, str]]) -> Sequence[ToDecide]:
    """The lines of these numbers and orders."""
    page = [(number, _ORDER.decode(body)) for number, body in rows]
    return [ToDecide(order, n) for number, order in page for n in order.lines if n.number == number]
