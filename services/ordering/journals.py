"""The SQL of an order with its journal."""

from uuid import UUID

from runtime.messages.encoding import decoder
from runtime.postgres.connection import Connection
from services.ordering.domain.journal import Note
from services.ordering.domain.order import Order
from services.ordering.domain.past import Past, past_of

_ORDER = decoder(Order)
_read_notes = decoder(Note).decode_lines

# By `orders_by_id`: the rows of an order's month are found without opening those of other months.
_ORDER_WITH_JOURNAL = "select body, journal from orders_by_id(array[$1::uuid])"


async def past(db: Connection, order_id: UUID) -> Past | None:
    """The past of a decided order; None when there is no such order."""
    row = await db.fetchrow(_ORDER_WITH_JOURNAL, order_id)
    if row is None:
        return None
    return past_of(_ORDER.decode(row["body"]), _read_notes(row["journal"]))
