"""Measures the latency from an order over HTTP to its answer in the inbox, at a steady rate.

`python -m bench.load.order_latency PORT TOKEN DATABASE PER_S BODIES RESULT`; bodies are lines of JSON, the
database is notification's. Writes the latency of each order in ms, in the order of the bodies.
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
from bench.load.paced import now_s, send_paced
from bench.store import message_notifications, newer_messages, newest_message

CONNECTIONS = 16
WITHIN_S = 30.0


class Orders:
    """Sends each order when it is due, on a free connection."""

    def __init__(self, port: int, token: str, bodies: list[bytes]) -> None:
        self._port = port
        self._requests = [request(f"{HOST}:{port}", token, body) for body in bodies]
        self._free: list[Connection] = []
        self.refused: list[int] = []

    async def open(self) -> None:
        """Open the connections, so that their cost is in no latency."""
        for _ in range(CONNECTIONS):
            self._free.append(await connect(HOST, self._port, self._answered))

    async def send(self, number: int) -> None:
        """Send an order without waiting for its answer."""
        connection = self._free.pop() if self._free else None
        if connection is None or not connection.usable:
            connection = await connect(HOST, self._port, self._answered)
        connection.send(self._requests[number])

    def _answered(self, connection: Connection, status: int) -> None:
        if status != 202:
            self.refused.append(status)
        self._free.append(connection)


async def watch(
    db: "asyncpg.Connection[asyncpg.Record]", wanted: set[str], last: int, committed: asyncio.Event
) -> dict[str, float]:
    """Note when the answer of each order is in an inbox, until all are or none comes for WITHIN_S.

    Reads messages with an id after `last` whenever `committed` is set.
    """
    answered_s: dict[str, float] = {}
    with suppress(TimeoutError):
        while len(answered_s) < len(wanted):
            await asyncio.wait_for(committed.wait(), WITHIN_S)
            committed.clear()
            rows = await newer_messages(db, last)
            at_s = now_s()
            for message_id, order_id in rows:
                last = message_id
                if order_id in wanted:
                    answered_s.setdefault(order_id, at_s)
    return answered_s


async def main(
    port: int, token: str, database: str, per_s: float, bodies: list[bytes]
) -> dict[str, object]:
    orders = Orders(port, token, bodies)
    await orders.open()
    # A plan made on the empty inbox would scan the whole table each time.
    db = await asyncpg.connect(database, server_settings={"enable_seqscan": "off"})
    ids = [orjson.loads(body)["order_id"] for body in bodies]
    async with message_notifications(db) as committed:
        # From the newest message on, to skip answers of earlier rounds.
        watching = asyncio.create_task(watch(db, set(ids), await newest_message(db), committed))
        due_s = await send_paced(len(bodies), per_s, orders.send)
        answered_s = await watching
    await db.close()
    latencies = [(answered_s[id] - due_s[n]) * 1000 for n, id in enumerate(ids) if id in answered_s]
    missing = len(ids) - len(answered_s)
    return {"latencies_ms": latencies, "refused": orders.refused, "missing": missing}


if __name__ == "__main__":
    measured = uvloop.run(
        main(
            int(sys.argv[1]),
            sys.argv[2],
            sys.argv[3],
            float(sys.argv[4]),
            Path(sys.argv[5]).read_bytes().splitlines(),
        )
    )
    Path(sys.argv[6]).write_bytes(orjson.dumps(measured))
