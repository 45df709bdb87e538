"""Bare relays between Kafka topics: each sends the records of one topic to the next, with acks.

With the producer before them and the consumer after them these are four hops.
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
    """Run one relay until cancelled, in a consumer group, as a service."""
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
    """Run all relays."""
    async with asyncio.TaskGroup() as relays:
        for source, target in pairwise(TOPICS):
            relays.create_task(relay(kafka, source, target))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
