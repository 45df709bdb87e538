"""Raw aiokafka: parse every record, serialize it and send it. At least once, no state, no rules.

This is the highest rate of a Python process, and so the limit of any that also makes decisions.
"""

import asyncio

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.peers.arguments import EVENTS, ORDERS, Arguments, arguments

MOST_RECORDS = 1000


async def run(options: Arguments) -> None:
    """Run until cancelled."""
    consumer = AIOKafkaConsumer(
        ORDERS,
        bootstrap_servers=options.kafka,
        group_id=options.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=options.kafka, acks="all", enable_idempotence=True, max_batch_size=1 << 18
    )
    async with producer, consumer:
        while True:
            fetched = await consumer.getmany(timeout_ms=200, max_records=MOST_RECORDS)
            sent = [
                await producer.send(
                    EVENTS,
                    orjson.dumps(orjson.loads(record.value)),
                    key=record.key,
                    headers=[*record.headers],
                )
                for records in fetched.values()
                for record in records
            ]
            if sent:
                await asyncio.gather(*sent)
                await consumer.commit()


if __name__ == "__main__":
    uvloop.run(run(arguments()))
