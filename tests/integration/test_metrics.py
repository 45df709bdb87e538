"""metrics on real Kafka and PostgreSQL: the counts that a dashboard shows, each event once."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import httpx
import pytest

from cli.directory import apply_directory, read_directory
from deploy.local import LocalStack, free_ports
from samples.codes import practice_code
from schemas import topics
from schemas.access import Party
from schemas.base import Actor, Channel, Role
from schemas.records.directory import Directory
from schemas.records.orders import (
    DecidedLine,
    OrderCancelled,
    OrderDecided,
    OrderEvent,
    OrderLineDecided,
    OrderState,
    Outcome,
)
from tests.harness.kafka import eventually, header, records_of, send, sent
from tests.harness.made import METFORMINE, PHARMACY, Sent, a_patient, an_order
from tests.integration.conftest import EXAMPLE

EVENTS = topics.ORDERS_EVENTS.name
DEAD = topics.dead_letters("metrics").name
DAY = "2026-11-23"
GP = Actor(role=Role.GP, id="gp-1")

_practices = count(500)


@pytest.fixture
def practice() -> str:
    """Return a practice that no other test uses."""
    return practice_code(next(_practices))


@pytest.fixture
def url(stack: LocalStack, practice: str) -> str:
    """Return the URL of the practice's orders report."""
    return f"{stack.endpoints['metrics']}/practices/{practice}/orders"


def decided(practice: str, *outcomes: Outcome, **changes: Any) -> OrderDecided:
    """Return the first event of a new order, placed on `DAY` by default."""
    order = an_order(a_patient())
    lines = tuple(
        DecidedLine(
            line=number,
            prk=METFORMINE[0],
            medicine=METFORMINE[1],
            quantity=Decimal(90),
            outcome=outcome,
        )
        for number, outcome in enumerate(outcomes, start=1)
    )
    fields: dict[str, Any] = {
        "order_id": str(order.order_id),
        "seq": 1,
        "patient": order.patient,
        "practice": practice,
        "pharmacy": PHARMACY,
        "channel": Channel.PORTAL,
        "placed_by": {"role": "patient", "id": order.patient},
        "placed_at": f"{DAY}T11:00:00Z",
        "decided_at": f"{DAY}T11:00:00Z",
        "state": OrderState.IN_REVIEW,
        "lines": [line.model_dump(mode="json") for line in lines],
    }
    return OrderDecided.model_validate(fields | changes, strict=False)


def line_decided(order: OrderDecided, line: int, outcome: Outcome, seq: int) -> OrderLineDecided:
    return OrderLineDecided(
        order_id=order.order_id,
        seq=seq,
        patient=order.patient,
        practice=order.practice,
        pharmacy=order.pharmacy,
        channel=order.channel,
        line=line,
        prk=METFORMINE[0],
        medicine=METFORMINE[1],
        outcome=outcome,
        quantity=Decimal(90),
        decided_by=GP,
        decided_at=order.decided_at,
    )


def cancelled(order: OrderDecided, *lines: int, seq: int) -> OrderCancelled:
    return OrderCancelled(
        order_id=order.order_id,
        seq=seq,
        patient=order.patient,
        practice=order.practice,
        pharmacy=order.pharmacy,
        channel=order.channel,
        lines=lines,
        cancelled_by=GP,
        cancelled_at=order.decided_at,
    )


def records(*events: OrderEvent) -> list[Sent]:
    return [sent(EVENTS, event) for event in events]


async def shown(
    http: httpx.AsyncClient,
    url: str,
    orders: int,
    first: str = DAY,
    last: str = DAY,
    by: str = "day",
) -> dict[str, Any]:
    """Return the report, as soon as it counts this many orders."""
    answer = await eventually(
        lambda: http.get(url, params={"from": first, "to": last, "by": by}),
        lambda seen: seen.json()["totals"]["orders"] >= orders,
        within_s=60,
    )
    report: dict[str, Any] = answer.json()
    assert report["totals"]["orders"] == orders
    return report


def outcomes(report: dict[str, Any]) -> dict[str, int]:
    """Return the totals by outcome, without zeros."""
    return {name: found for name, found in report["totals"]["outcomes"].items() if found}


async def test_events_become_counts_by_day_channel_and_outcome(
    stack: LocalStack, http: httpx.AsyncClient, practice: str, url: str
) -> None:
    first = decided(practice, Outcome.REVIEW, Outcome.APPROVED)
    second = decided(practice, Outcome.REFUSED, channel=Channel.RECEPTENLIJN)
    third = decided(practice, Outcome.APPROVED, placed_at="2026-11-23T23:30:00Z")
    fourth = decided(practice, Outcome.REFUSED, placed_by={"role": "assistant", "id": "a-1"})
    moved = line_decided(first, 1, Outcome.APPROVED, seq=2)

    await send(
        stack.kafka, records(first, second, moved, third, fourth, cancelled(third, 1, seq=2))
    )

    report = await shown(http, url, 4, "2026-11-22", "2026-11-24")
    assert [(p["period"], p["orders"], p["online_orders"]) for p in report["periods"]] == [
        ("2026-11-22", 0, 0),
        ("2026-11-23", 3, 1),
        ("2026-11-24", 1, 1),
    ]
    await eventually(
        lambda: shown(http, url, 4, "2026-11-22", "2026-11-24"),
        lambda seen: outcomes(seen) == {"approved": 2, "refused": 2, "cancelled": 1},
    )
    line = report["periods"][1]["by_channel"]["receptenlijn"]
    assert (line["orders"], line["lines"], line["outcomes"]["refused"]) == (1, 1, 1)
    by_practice = report["periods"][1]["by_channel"]["portal_by_practice"]
    assert (by_practice["orders"], by_practice["lines"]) == (1, 1)


@pytest.mark.parametrize(
    ("by", "labels"),
    [
        ("week", ["2026-W53", "2027-W01"]),
        ("month", ["2026-12", "2027-01"]),
        ("quarter", ["2026-Q4", "2027-Q1"]),
    ],
)
async def test_orders_around_new_year_fall_in_the_right_period(
    stack: LocalStack, http: httpx.AsyncClient, practice: str, url: str, by: str, labels: list[str]
) -> None:
    days = ("2026-12-28", "2026-12-31", "2027-01-04")
    orders = [decided(practice, Outcome.APPROVED, placed_at=f"{day}T11:00:00Z") for day in days]

    await send(stack.kafka, records(*orders))

    report = await shown(http, url, 3, days[0], days[-1], by)
    assert [(p["period"], p["orders"]) for p in report["periods"]] == list(
        zip(labels, (2, 1), strict=True)
    )
    assert (report["periods"][0]["first_day"], report["periods"][-1]["last_day"]) == (
        days[0],
        days[-1],
    )


async def test_events_that_come_again_are_not_counted_again(
    stack: LocalStack, http: httpx.AsyncClient, practice: str, url: str
) -> None:
    order = decided(practice, Outcome.REVIEW)
    history = records(order, line_decided(order, 1, Outcome.REFUSED, seq=2))

    await send(stack.kafka, [*history, *history, history[0]])
    await send(stack.kafka, records(decided(practice, Outcome.APPROVED)))

    report = await shown(http, url, 2)
    await eventually(
        lambda: shown(http, url, 2), lambda seen: outcomes(seen) == {"refused": 1, "approved": 1}
    )
    assert report["totals"]["lines"] == 2


async def test_an_event_that_skips_a_number_waits_as_a_dead_letter_for_the_one_before(
    stack: LocalStack, http: httpx.AsyncClient, practice: str, url: str
) -> None:
    order = decided(practice, Outcome.REVIEW, Outcome.REVIEW)
    second, third = (
        line_decided(order, 1, Outcome.REFUSED, seq=2),
        line_decided(order, 2, Outcome.APPROVED, seq=3),
    )
    await send(stack.kafka, records(order, third))

    (dead,) = await records_of(stack.kafka, DEAD, [order.patient], 1)
    assert header(dead, "dl_reason") == "seq_gap"
    assert outcomes(await shown(http, url, 1)) == {"review": 2}

    await send(stack.kafka, records(second, third))
    await eventually(
        lambda: shown(http, url, 1), lambda seen: outcomes(seen) == {"refused": 1, "approved": 1}
    )


def _orders(practice: str, number: int) -> Iterator[OrderEvent]:
    """Return the events of this many orders of two lines; one line is decided later."""
    for _ in range(number):
        order = decided(practice, Outcome.REVIEW, Outcome.APPROVED)
        yield order
        yield line_decided(order, 1, Outcome.REFUSED, seq=2)


async def test_two_workers_count_in_the_same_rows_without_losing_any(
    stack: LocalStack, http: httpx.AsyncClient, practice: str, url: str
) -> None:
    """Given two workers, and orders of one practice on one day; then every order is counted."""
    second = await stack.add_service("metrics", instance="metrics-2", port=free_ports().base + 1)
    try:
        await second.ready(60)
        await asyncio.gather(
            *(send(stack.kafka, records(*_orders(practice, 500))) for _ in range(4))
        )
        await shown(http, url, 2000)
        await eventually(
            lambda: shown(http, url, 2000),
            lambda seen: outcomes(seen) == {"refused": 2000, "approved": 2000},
        )
    finally:
        await stack.stop("metrics-2")


async def test_a_practice_without_orders_has_a_month_of_zeros_until_today(
    http: httpx.AsyncClient, url: str
) -> None:
    report = (await http.get(url)).json()

    assert report["by"] == "day"
    assert report["from"].endswith("-01")
    assert report["to"][:8] == report["from"][:8]
    assert len(report["periods"]) == int(report["to"][8:])
    assert report["totals"]["orders"] == report["totals"]["lines"] == 0


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": "2026-11-24", "to": "2026-11-23"}, "from"),
        ({"from": "2020-01-01", "to": "2026-11-23"}, "from"),
        ({"from": "0"}, "from"),
        ({"to": "2026-02-30"}, "to"),
        ({"to": "2026-11-23T00:00:00"}, "to"),
        ({"by": "year"}, "by"),
    ],
)
async def test_a_range_that_cannot_be_shown_is_refused_with_the_field(
    http: httpx.AsyncClient, url: str, asked: dict[str, str], field: str
) -> None:
    answer = await http.get(url, params=asked)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_five_years_by_day_are_shown(http: httpx.AsyncClient, url: str) -> None:
    answer = await http.get(url, params={"from": "2021-11-23", "to": "2026-11-23"})

    assert len(answer.json()["periods"]) == 1827


async def test_what_is_no_practice_is_refused(stack: LocalStack, http: httpx.AsyncClient) -> None:
    answer = await http.get(f"{stack.endpoints['metrics']}/practices/02999345/orders")

    assert answer.status_code == 422


async def test_a_region_sees_each_of_its_practices(stack: LocalStack, practice: str) -> None:
    """Given two practices of a region with orders; then the region's report has both, and their sum."""
    region = f"Regio {practice}"
    like = read_directory(EXAMPLE).practices[0]
    other = practice_code(next(_practices))
    entries = [
        like.model_copy(update={"agb": agb, "name": f"Praktijk {agb}", "region": region})
        for agb in (practice, other)
    ]
    await apply_directory(stack.kafka, Directory(practices=tuple(entries), pharmacies=()))
    events = (
        decided(practice, Outcome.APPROVED, Outcome.REFUSED),
        decided(other, Outcome.APPROVED),
        decided(other, Outcome.REVIEW, channel=Channel.RECEPTENLIJN),
    )
    await send(stack.kafka, records(*events))
    address = f"{stack.endpoints['metrics']}/regions/{region}/orders"
    token = {"authorization": f"Bearer {stack.token(Party.REGION, region=region)}"}
    async with httpx.AsyncClient(headers=token, timeout=40) as somebody:
        report = await shown(somebody, address, 3, by="quarter")
        counted = {each["practice"]: each["totals"] for each in report["practices"]}
        assert {agb: totals["orders"] for agb, totals in counted.items()} == {practice: 1, other: 2}
        assert counted[practice]["lines"] == 2
        assert report["totals"]["online_orders"] == 2
        assert [period["period"] for period in report["periods"]] == ["2026-Q4"]
        elsewhere = f"{stack.endpoints['metrics']}/regions/Lindewaard/orders"
        assert (await somebody.get(elsewhere)).status_code == 404
