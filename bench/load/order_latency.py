"""Orders over HTTP at a steady rate, and when each one's answer is in the inbox.

`python -m bench.load.order_latency PORT DATABASE PER_S BODIES RESULT`; bodies are lines of JSON, the
database is notification's. Writes a latency in ms for each order, in the order of the bodies.
"""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

import asyncpg
import orjson
import uvloop

from bench.load.closed import HOST
from bench.load.connection import Connection, connect, request
from bench.load.paced import now_s, paced
from bench.store import newer_messages, newest_message, told_of_messages

CONNECTIONS = 16
WITHIN_S = 30.0


class Orders:
    """Sends each order once it is due, on a connection that is free."""

    def __init__(self, port: int, bodies: list[bytes]) -> None:
        self._port = port
        self._requests = [request(f"{HOST}:{port}", body) for body in bodies]
        self._free: list[Connection] = []
        self.refused: list[int] = []

    async def open(self) -> None:
        """Open connections, so that no order pays for its own."""
        for _ in range(CONNECTIONS):
            self._free.append(await connect(HOST, self._port, self._answered))

    async def send(self, number: int) -> None:
        """Send an order; its answer is not waited for."""
        connection = self._free.pop() if self._free else None
        if connection is None or not connection.usable:
            connection = await connect(HOST, self._port, self._answered)
        connection.send(self._requests[number])

    def _answered(self, connection: Connection, status: int) -> None:
        if status != 202:
            self.refused.append(status)
        self._free.append(connection)


async def watch(
    db: "asyncpg.Connection[asyncpg.Record]", wanted: set[str], last: int, told: asyncio.Event
) -> dict[str, float]:
    """When each of these orders' answer was in an inbox, after this place, until all are or none comes.

    `told` is set whenever something new is there.
    """
    seen: dict[str, float] = {}
    with suppress(TimeoutError):
        while len(seen) < len(wanted):
            await asyncio.wait_for(told.wait(), WITHIN_S)
            told.clear()
            rows = await newer_messages(db, last)
            at_s = now_s()
            for place, order_id in rows:
                last = place
                if order_id in wanted:
                    seen.setdefault(order_id, at_s)
    return seen


async def main(port: int, database: str, per_s: float, bodies: list[bytes]) -> dict[str, object]:
    orders = Orders(port, bodies)
    await orders.open()
    # An empty inbox would have it read whole each time, long after it is not empty any more.
    db = await asyncpg.connect(database, server_settings={"enable_seqscan": "off"})
    ids = [orjson.loads(body)["order_id"] for body in bodies]
    async with told_of_messages(db) as told:
        # What earlier rounds left is no answer to these.
        watching = asyncio.create_task(watch(db, set(ids), await newest_message(db), told))
        due_s = await paced(len(bodies), per_s, orders.send)
        seen = await watching
    await db.close()
    latencies = [(seen[id] - due_s[n]) * 1000 for n, id in enumerate(ids) if id in seen]
    return {"latencies_ms": latencies, "refused": orders.refused, "missing": len(ids) - len(seen)}


if __name__ == "__main__":
    found = uvloop.run(
        main(
            int(sys.argv[1]),
            sys.argv[2],
            float(sys.argv[3]),
            Path(sys.argv[4]).read_bytes().splitlines(),
        )
    )
    Path(sys.argv[5]).write_bytes(orjson.dumps(found))
