"""A practice's past: patients who order what they use, month after month, decided by ordering's own rules.

`python -m tests.harness.past_orders DSN [--patients N]` puts a year of practice 01999001 into the database of
ordering; DSN is the administrator's. For pictures and measurements: no record of these orders is on Kafka.
"""

import argparse
import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from deploy.local.postgres.databases import owner_dsn
from runtime.messages.encoding import encode_parts
from samples.people import CHRONIC, TEMPORARY
from schemas.base import Channel, PlacedBy, Role
from schemas.records.directory import Pharmacy, Policy
from schemas.records.medication import Status
from schemas.records.orders import OrderLine, OrderPlace
from services.ordering.domain.decisions import Change, apply_placed, place
from services.ordering.domain.history import History, with_order
from services.ordering.domain.journal import notes
from services.ordering.domain.knowledge import Context
from services.ordering.domain.overview import Authorisation, Entry, Overview
from tests.harness.made import PHARMACY, PRACTICE

COLUMNS = ("order_id", "patient", "practice", "state", "placed_at", "digest", "body", "journal")

_LISTED = [(Status.CHRONIC, each) for each in CHRONIC] + [(Status.TEMPORARY, TEMPORARY[0])]


@dataclass
class MadePractice:
    """Makes the orders of a practice with so many patients, each ordering `per_year` times a year."""

    patients: int
    per_year: float = 3.5
    policy: Policy = field(default_factory=Policy)
    seed: int = 1

    def rows(self, until: datetime, days: int = 365) -> Iterator[tuple[Any, ...]]:
        """Rows of the table `orders`, of the days before `until` (UTC)."""
        rng = random.Random(self.seed)
        for number in range(self.patients):
            yield from self._of_patient(f"pat_made{number:08d}", rng, until, days)

    def _of_patient(
        self, patient: str, rng: random.Random, until: datetime, days: int
    ) -> Iterator[tuple[Any, ...]]:
        overview = _overview(rng, until.date())
        history: History = ()
        times = sorted(rng.random() for _ in range(self._count(rng)))
        for at in [until - timedelta(days=days * (1 - part)) for part in times]:
            context = Context(overview, _pharmacy(), self.policy, 1, None, history)
            change = _placed(_order(patient, overview, rng), at, context)
            history = with_order(history, change.order, at)
            yield _row(change)

    def _count(self, rng: random.Random) -> int:
        whole = int(self.per_year)
        return whole + (rng.random() < self.per_year - whole)


def _overview(rng: random.Random, today: date) -> Overview:
    entries = []
    for status, medicine in rng.sample(_LISTED, rng.randint(3, 8)):
        given_on = today - timedelta(days=rng.randint(400, 700))
        until = given_on + timedelta(days=rng.choice([365, 500, 900]))
        entry = Entry(
            medicine.prk,
            medicine.name,
            status,
            medicine.dosage,
            Decimal(medicine.quantity),
            medicine.unit,
            medicine.high_risk,
            rng.random() < 0.05,
            days_supply=medicine.days,
            authorisation=Authorisation(given_on, until) if rng.random() < 0.7 else None,
        )
        entries.append(entry)
    return Overview(PRACTICE, 1, tuple(entries))


def _pharmacy() -> Pharmacy:
    return Pharmacy(
        agb=PHARMACY,
        name="Apotheek",
        address="Marktplein 4",
        city="Lindewaard",
        phone="0123-456730",
        opening_hours="Mo-Fr 08:30-17:30",
        version=1,
    )


def _order(patient: str, overview: Overview, rng: random.Random) -> OrderPlace:
    wanted = rng.sample(overview.medications, rng.choices([1, 2, 3], [60, 25, 15])[0])
    lines = [
        OrderLine(line=n, prk=each.prk, medicine=each.medicine, quantity=each.quantity)
        for n, each in enumerate(wanted, start=1)
    ]
    return OrderPlace(
        order_id=UUID(int=rng.getrandbits(128)),
        patient=patient,
        practice=PRACTICE,
        pharmacy=PHARMACY,
        channel=Channel.PORTAL,
        placed_by=PlacedBy(role=Role.PATIENT, id=patient),
        lines=tuple(lines),
        remark="Graag bellen" if rng.random() < 0.1 else None,
    )


def _placed(command: OrderPlace, at: datetime, context: Context) -> Change:
    return apply_placed(command, "made", place(command, at, context))


def _row(change: Change) -> tuple[Any, ...]:
    order = change.order
    journal = "".join(f"{encode_parts(note).decode()}\n" for note in notes(change))
    body = encode_parts(order).decode()
    return (
        *(order.order_id, order.patient, order.practice, str(order.state), order.placed_at),
        *(order.digest, body, journal),
    )


def lines_of(rows: Sequence[tuple[Any, ...]]) -> int:
    """How many lines these orders have."""
    return sum(row[6].count('"number":') for row in rows)


async def fill(admin: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Put rows into the table `orders` of ordering's database, with a part for each of their months."""
    db = await asyncpg.connect(owner_dsn(admin, "ordering"))
    try:
        months = {placed_at.date().replace(day=1) for *_, placed_at, _, _, _ in rows}
        await db.executemany("select make_part('orders', $1)", [(month,) for month in months])
        await db.copy_records_to_table("orders", records=rows, columns=COLUMNS)
        await db.execute("analyze orders")
    finally:
        await db.close()


def main() -> None:
    """Make a year of orders, and put them into a database."""
    parser = argparse.ArgumentParser()
    parser.add_argument("admin", metavar="DSN")
    parser.add_argument("--patients", type=int, default=400)
    given = parser.parse_args()
    asyncio.run(fill(given.admin, [*MadePractice(given.patients).rows(datetime.now(UTC))]))


if __name__ == "__main__":
    main()
