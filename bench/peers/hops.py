"""Bare relays between Kafka topics: what comes in on one goes out on the next, acknowledged.

With the producer before them and the consumer behind them that makes four hops.
`python -m bench.peers.hops KAFKA`, until SIGTERM.
"""

import asyncio
import sys
from itertools import pairwise

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

TOPICS = tuple(f"bench.hop-{number}" for number in range(1, 5))
FIRST, LAST = TOPICS[0], TOPICS[-1]


async def relay(kafka: str, source: str, target: str) -> None:
    """One relay, until cancelled; it has a group, as a service has."""
    async with (
        AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True) as producer,
        AIOKafkaConsumer(
            source,
            bootstrap_servers=kafka,
            group_id=f"relay-{source}",
            auto_offset_reset="earliest",
        ) as consumer,
    ):
        while True:
            fetched = await consumer.getmany(timeout_ms=200)
            sent = [
                await producer.send(target, record.value, key=record.key)
                for records in fetched.values()
                for record in records
            ]
            await asyncio.gather(*sent)


async def main(kafka: str) -> None:
    """All relays."""
    async with asyncio.TaskGroup() as relays:
        for source, target in pairwise(TOPICS):
            relays.create_task(relay(kafka, source, target))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
