"""The SQL of a practice's past orders, and how they are tried page by page."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from runtime.messages.encoding import decoder
from runtime.postgres.connection import Connection
from schemas.records.directory import Policy
from services.ordering.domain.trial import PastNote, PastOrder, Trial, judge

PAGE = 200
"""So many orders take some hundredths of a second: other requests wait no longer than that."""

# `placed_at <= $3` is what the index orders_of_practice can look up.
_PAGE = """
select order_id, placed_at, body, journal from orders
where practice = $1 and placed_at >= $2 and placed_at <= $3 and (placed_at, order_id) < ($3, $4)
order by placed_at desc, order_id desc limit $5
"""
_read_order = decoder(PastOrder).decode
_read_notes = decoder(PastNote).decode_lines

_Rows: TypeAlias = Sequence[Any]


class Database(Protocol):
    """Where connections come from: a pool of a service, or a command's own."""

    def acquire(self) -> AbstractAsyncContextManager[Connection]:
        """A connection for as long as its block runs."""


async def try_policy(
    database: Database, practice: str, since: datetime, until: datetime, policy: Policy
) -> Trial:
    """Try a policy on a practice's orders placed from `since` to before `until` (UTC), newest first.

    Other work goes on between pages of orders.
    """
    trial = Trial()
    at, last = until, UUID(int=0)
    while True:
        async with database.acquire() as db:
            rows: _Rows = await db.fetch(_PAGE, practice, since, at, last, PAGE)
        for _, _, body, journal in rows:
            order = _read_order(body)
            trial.add(judge(order, _read_notes(journal), policy))
        if len(rows) < PAGE:
            return trial
        last, at = rows[-1]["order_id"], rows[-1]["placed_at"]
