"""Measures a plain aiokafka consumer that reads a topic from its beginning to its end.

`python -m bench.load.consume KAFKA TOPIC RESULT`
"""

import sys
from pathlib import Path

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer

from bench.load.paced import now_s


async def consume(kafka: str, topic: str) -> dict[str, float]:
    """Read a topic; return the records, and the seconds from the first connection on."""
    began_s, records = now_s(), 0
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False
    ) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while left := [tp for tp, end in ends.items() if await consumer.position(tp) < end]:
            for fetched in (await consumer.getmany(*left, timeout_ms=200)).values():
                records += len(fetched)
    return {"records": records, "seconds": now_s() - began_s}


if __name__ == "__main__":
    measured = uvloop.run(consume(sys.argv[1], sys.argv[2]))
    Path(sys.argv[3]).write_bytes(orjson.dumps(measured))
