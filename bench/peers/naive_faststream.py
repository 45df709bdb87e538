"""A simple FastStream version: a model, a database transaction and a publish for each record.

It decides with ordering's own domain, so that only the rest differs. It can lose or repeat a decision when
it dies between the transaction and the publish.
"""

from functools import cache
from typing import Any

import asyncpg
import uvloop
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage

from bench.data.region import policy
from bench.peers.arguments import EVENTS, ORDERS, Arguments, Region, Switches, arguments, region
from runtime.messages.cloudevents import event_id, outgoing
from runtime.messages.encoding import encode
from runtime.messages.message import append_time
from schemas.records.directory import Pharmacy
from schemas.records.medication import MedicationOverview
from schemas.records.orders import OrderDecided, OrderPlace
from services.ordering.domain import decisions
from services.ordering.domain.knowledge import Context
from services.ordering.domain.overview import read_overview

TABLES = """
create table overviews (patient text primary key, body bytea not null);
create table orders (order_id uuid primary key, patient text not null, body text not null);
"""

_OVERVIEW = "select body from overviews where patient = $1"
_SAVE = "insert into orders (order_id, patient, body) values ($1, $2, $3) on conflict do nothing"


async def run(options: Arguments) -> None:
    """Run until SIGTERM."""
    directory = region(options.region)
    broker = KafkaBroker(options.kafka, acks="all", enable_idempotence=True, logger=None)

    async with asyncpg.create_pool(options.database) as pool:

        @broker.subscriber(
            ORDERS,
            group_id=options.group,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.ACK,
            decoder=_order,
        )
        async def decide(order: OrderPlace, message: KafkaMessage) -> None:
            record: Any = message.raw_message
            async with pool.acquire() as db, db.transaction():
                overview = await db.fetchval(_OVERVIEW, order.patient)
                placed = decisions.place(
                    order, append_time(record.timestamp), _context(order, overview, directory)
                )
                # A pydantic model, as in a tutorial.
                decided = OrderDecided.model_validate_json(encode(placed.event))
                await db.execute(_SAVE, order.order_id, order.patient, decided.model_dump_json())
            await broker.publish(
                decided,
                EVENTS,
                key=order.patient.encode(),
                headers=_headers(order, decided, message),
            )

        await FastStream(broker, logger=None).run()


async def _order(message: KafkaMessage) -> OrderPlace:
    return OrderPlace.model_validate_json(message.body)


def _context(order: OrderPlace, overview: bytes | None, directory: Region) -> Context:
    version, switches = directory.practices.get(order.practice, (None, Switches()))
    return Context(
        read_overview(MedicationOverview.model_validate_json(overview)) if overview else None,
        _pharmacy(order.pharmacy) if order.pharmacy in directory.pharmacies else None,
        policy(review_everything=switches.review_everything),
        version,
    )


@cache
def _pharmacy(agb: str) -> Pharmacy:
    """A pharmacy as far as the rules read it."""
    return Pharmacy(
        agb=agb,
        name="-",
        address="-",
        city="-",
        phone="-",
        opening_hours="-",
        repeat_service=True,
        version=1,
    )


def _headers(order: OrderPlace, decided: Any, message: KafkaMessage) -> dict[str, str]:
    record = outgoing(
        EVENTS,
        decided,
        key=order.patient,
        id=event_id(OrderDecided.TYPE, order.order_id, 1),
        source="nl.herhaal/ordering",
        subject=str(order.order_id),
        at=decided.decided_at,
        traceparent=message.headers["traceparent"],
    )
    return {name: value.decode() for name, value in record.headers if value}


if __name__ == "__main__":
    uvloop.run(run(arguments()))
