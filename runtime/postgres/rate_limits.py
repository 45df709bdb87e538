"""The SQL of rate limits: one upsert counts requests for several keys (GCRA), by the database's clock.

GCRA keeps one moment for a key: when its whole quota is free again. A request moves it by one step; it is
refused when the moment would be more than a window ahead. A refused request moves nothing.
"""

from collections.abc import Mapping

from runtime.limits import Counted, Use
from runtime.postgres.connection import Connection

# A thousandth of a request is for the rounding of seconds since 1970.
COUNT = """
insert into rate_limits as kept (key, free_at, admitted, step_s, window_s)
select key, extract(epoch from now()) + n * step_s, n, step_s, window_s
from unnest($1::bytea[], $2::int[], $3::float8[], $4::float8[]) as used(key, n, step_s, window_s)
on conflict (key) do update set (free_at, admitted, step_s, window_s) = (
    select busy_from + n * excluded.step_s, n, excluded.step_s, excluded.window_s
    from (select extract(epoch from now())::float8 as now) as clock,
        lateral (select greatest(kept.free_at, now) as busy_from) as busy,
        lateral (
            select greatest(0, least(
                excluded.admitted,
                floor((now + excluded.window_s - busy_from) / excluded.step_s + 0.001)::int
            )) as n
        ) as possible
)
returning key, admitted, free_at - extract(epoch from now())::float8 as busy_s
"""
# Rows that another session counts are left for the next time: two sessions could wait for each other.
_REMOVE_FREE = """
delete from rate_limits where key = any(array(
    select key from rate_limits where free_at < extract(epoch from now())
    limit 10000 for update skip locked
))
"""


async def count(db: Connection, wanted: Mapping[Use, int]) -> Mapping[bytes, Counted]:
    """Count so many requests for each key; return how many of them are admitted, by key."""
    # Sorted, so that two processes lock rows in the same order.
    uses = sorted(wanted)
    rows = await db.fetch(
        COUNT,
        [use.key for use in uses],
        [min(wanted[use], use.limit.quota) for use in uses],
        [use.limit.step_s for use in uses],
        [float(use.limit.window_s) for use in uses],
    )
    return {row["key"]: Counted(row["admitted"], row["busy_s"]) for row in rows}


async def remove_free(db: Connection) -> None:
    """Delete the rows of keys whose whole quota is free: a key without a row has all of it."""
    await db.execute(_REMOVE_FREE)
