"""Sends orders in a closed loop: each connection sends its next order when the last one is answered.

`python -m bench.load.closed PORT TOKEN CONNECTIONS BODIES RESULT`; bodies are lines of JSON. Writes the number
of answers by status, and the latencies in ms.
"""

import asyncio
import sys
import time
from collections import Counter
from pathlib import Path

import orjson
import uvloop

from bench.load.connection import Connection, connect, request

HOST = "127.0.0.1"


class ClosedLoop:
    """Sends every request once."""

    def __init__(self, requests: list[bytes]) -> None:
        self._requests = iter(requests)
        self._left = len(requests)
        self._sent_s: dict[Connection, float] = {}
        self._done = asyncio.Event()
        self.statuses: Counter[int] = Counter()
        self.latencies_ms: list[float] = []

    async def run(self, port: int, connections: int) -> None:
        """Send all requests, and wait until all are answered."""
        opened = [await connect(HOST, port, self._answered) for _ in range(connections)]
        for connection in opened:
            self._next(connection)
        await self._done.wait()
        for connection in opened:
            connection.close()

    def _next(self, connection: Connection) -> None:
        request = next(self._requests, None)
        if request is not None:
            self._sent_s[connection] = time.perf_counter()
            connection.send(request)

    def _answered(self, connection: Connection, status: int) -> None:
        self.latencies_ms.append((time.perf_counter() - self._sent_s[connection]) * 1000)
        self.statuses[status] += 1
        self._left -= 1
        if self._left == 0:
            self._done.set()
        elif status:
            self._next(connection)


async def main(port: int, token: str, connections: int, bodies: Path, result: Path) -> None:
    requests = [request(f"{HOST}:{port}", token, body) for body in _lines(bodies)]
    loop = ClosedLoop(requests)
    await loop.run(port, connections)
    measured = {"statuses": dict(loop.statuses), "latencies_ms": loop.latencies_ms}
    _write(result, orjson.dumps(measured, option=orjson.OPT_NON_STR_KEYS))


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


if __name__ == "__main__":
    uvloop.run(
        main(
            int(sys.argv[1]),
            sys.argv[2],
            int(sys.argv[3]),
            Path(sys.argv[4]),
            Path(sys.argv[5]),
        )
    )
