"""ordering's `order_ids`, which keeps an id from being used twice, follows from the events."""

from collections.abc import Iterator

from verify.evidence import Evidence
from verify.rules.finding import Finding


def order_ids_differ(evidence: Evidence) -> Iterator[Finding]:
    """Every order has one row with its id and time, and there is no other row."""
    rows = {row.order_id: row.placed_at for row in evidence.dump.ordering.order_ids}
    for order in evidence.orders.values():
        if order.order_id not in rows:
            yield Finding("its id is not in order_ids", f"{order.order_id}")
        elif rows[order.order_id] != order.first.placed_at:
            yield Finding("its row in order_ids has another time", f"{order.order_id}")
    for order_id in rows.keys() - evidence.orders.keys() - evidence.unverifiable:
        yield Finding("it has a row in order_ids and no events", f"{order_id}")
