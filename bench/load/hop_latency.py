"""Measures the latency of orders through bare Kafka hops, at the same rate as through our services.

`python -m bench.load.hop_latency KAFKA PER_S BODIES RESULT`. The relays are bench.peers.hops.
"""

import asyncio
import sys
from pathlib import Path

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.load.order_latency import WITHIN_S
from bench.load.paced import now_s, send_paced
from bench.peers.hops import FIRST, LAST


async def arrivals(consumer: AIOKafkaConsumer, wanted: int) -> dict[bytes, float]:
    """Note when each record arrives, by its key, until `wanted` have arrived or no more come."""
    arrived_s: dict[bytes, float] = {}
    while len(arrived_s) < wanted:
        fetched = await asyncio.wait_for(
            consumer.getmany(timeout_ms=int(WITHIN_S * 1000)), WITHIN_S * 2
        )
        if not fetched:
            break
        at_s = now_s()
        for records in fetched.values():
            for record in records:
                arrived_s.setdefault(record.key, at_s)
    return arrived_s


async def main(kafka: str, per_s: float, bodies: list[bytes]) -> dict[str, object]:
    async with (
        AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True) as producer,
        AIOKafkaConsumer(LAST, bootstrap_servers=kafka, auto_offset_reset="latest") as consumer,
    ):
        # Fetches the position before the first order is sent, to skip records of earlier rounds.
        for partition in consumer.assignment():
            await consumer.position(partition)
        watching = asyncio.create_task(arrivals(consumer, len(bodies)))
        sent: list[asyncio.Future[object]] = []

        async def send(number: int) -> None:
            sent.append(await producer.send(FIRST, bodies[number], key=b"%d" % number))

        due_s = await send_paced(len(bodies), per_s, send)
        await asyncio.gather(*sent)
        arrived = await watching
    latencies = [(arrived[key] - due_s[n]) * 1000 for n in due_s if (key := b"%d" % n) in arrived]
    return {"latencies_ms": latencies, "refused": [], "missing": len(bodies) - len(arrived)}


if __name__ == "__main__":
    measured = uvloop.run(
        main(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]).read_bytes().splitlines())
    )
    Path(sys.argv[4]).write_bytes(orjson.dumps(measured))
