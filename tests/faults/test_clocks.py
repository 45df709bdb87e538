"""Services whose clocks are hours ahead or behind, under a load.

Each service has one instance, and that has a wrong clock: it makes every decision, promise and due time.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Unpack
from uuid import UUID

import httpx
import pytest
from aiokafka import ConsumerRecord
from pydantic import TypeAdapter

from cli.directory import apply_directory, read_directory
from deploy.local import LocalStack
from deploy.local.issuer.keys import ensure_key
from deploy.local.issuer.people import TokenScope, claims_of
from deploy.local.issuer.tokens import Minter
from samples.callers import Permitted
from schemas import topics
from schemas.access import Party
from schemas.records.directory import Directory, Pharmacy, Practice
from schemas.records.notifications import PickupPromised
from schemas.records.orders import OrderDecided, OrderLineDecided, OrderPlace
from schemas.topics import SERVICES
from services.notification.domain.calendars import PharmacyCalendar, working_days
from services.notification.domain.pickup import Calendar, Window, pickup_window
from tests.faults.conftest import EXAMPLE
from tests.faults.database import administrator
from tests.faults.load import Load
from tests.faults.metrics import metric
from tests.faults.processes import faulty, running, until_ready
from tests.faults.rows import Judge
from tests.faults.watch import Watch, watching
from tests.harness.kafka import eventually, header
from tests.harness.made import PHARMACY, PRACTICE, a_patient, an_order
from tests.harness.systems import at_the_door
from verify.rules.decisions import timer_id

PER_S = 40.0
HOURS = 7.0
PROMISES = 60
"""Promises that each instance of notification must make."""

PATIENCE = timedelta(minutes=30)
ELSEWHERE = "01999002"
"""A practice whose orders wait `PATIENCE` for an overview."""

LATE = timedelta(seconds=15)
"""How late a timer may fire on a busy machine."""

_DECISION: TypeAdapter[OrderDecided | OrderLineDecided] = TypeAdapter(
    OrderDecided | OrderLineDecided
)
_DUE = "select due_at from timers where id = $1"


class _Clocked(httpx.Auth):
    """Tokens minted at the time that the service that is asked believes it is."""

    requires_request_body = True

    def __init__(self, stack: LocalStack) -> None:
        self.hours: Mapping[str, float] = {}
        """How far off the clocks are, by service."""
        self._services = {stack.ports.services[service]: service for service in SERVICES}
        self._by_hours = {
            hours: Permitted(partial(_token, stack, hours)) for hours in (-HOURS, 0.0, HOURS)
        }

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        """Add the token."""
        hours = self.hours.get(self._services[request.url.port or 0], 0.0)
        return self._by_hours[hours].auth_flow(request)


def _token(stack: LocalStack, hours: float, role: Party, **scope: Unpack[TokenScope]) -> str:
    """A token of the stack's issuer, if its clock were off by these hours."""
    minter = Minter(stack.issuer, ensure_key(stack.data.issuer), lambda: time.time() + 3600 * hours)
    return minter.access_token(claims_of(role, **scope), "test")


@pytest.mark.timeout(400)
async def test_clocks_hours_off_change_no_decision_no_promise_and_no_due_time(
    disturbed: LocalStack, judge: Judge, soak: bool, tmp_path: Path
) -> None:
    """Given a load; when all clocks are hours off, some ahead, some behind; then decisions and due times are in
    broker time, and promises follow from them.

    Tokens have the clock of the service that is asked, as the issuer of a machine has; others are refused.
    In the long form a timer is due while ordering's clock is hours behind, and fires in time.
    """
    patience = await _patience_of_a_minute(disturbed, tmp_path) if soak else PATIENCE
    waits = an_order(a_patient(), practice=ELSEWHERE)
    tokens = _Clocked(disturbed)
    load = Load(disturbed.endpoints, tokens, tmp_path / "history.jsonl")
    began = datetime.now(UTC)
    async with (
        watching(disturbed) as events,
        watching(disturbed, topics.NOTIFICATIONS_EVENTS.name) as told,
        load.running(PER_S),
    ):
        await asyncio.gather(*(disturbed.stop(service) for service in SERVICES))
        await load.clients.connected.wait()
        await load.clients.over_kafka("place", waits.order_id, topics.ORDERS_REQUESTS, waits)
        for ahead in (("ordering", "metrics"), ("medication", "notification")):
            hours = {service: HOURS if service in ahead else -HOURS for service in SERVICES}
            tokens.hours = hours
            async with _off_by(disturbed, hours):
                said = await at_the_door(disturbed.endpoints, disturbed.token(Party.PORTAL))
                assert {*said.values()} == {401}
                await _promises(told, PROMISES)
                await asyncio.gather(*(_is_off(disturbed, *one) for one in hours.items()))
                if soak and "ordering" not in ahead:
                    await _decisions_on(events, waits, 2, within_s=90)
        tokens.hours = {}
        await asyncio.gather(*(disturbed.start(service) for service in SERVICES))
    row = await judge.judge(load, f"clocks {HOURS:.0f} h ahead and behind", "all")
    assert row.clean
    decisions = [_DECISION.validate_json(r.value) for r in events.records if _decides(r)]
    assert all(began <= d.decided_at <= datetime.now(UTC) for d in decisions)
    _are_kept(_promised(told), decisions)
    first, *later = await _decisions_on(events, waits, 2 if soak else 1)
    due_at = first.decided_at + patience
    if soak:
        assert due_at <= later[0].decided_at <= due_at + LATE
    else:
        assert await _due(disturbed, waits.order_id) == due_at


async def _patience_of_a_minute(stack: LocalStack, folder: Path) -> timedelta:
    """Make orders of practice `ELSEWHERE` wait at most a minute for an overview; return that minute."""
    text = EXAMPLE.read_text()
    changed = folder / "directory.yaml"
    changed.write_text(text.replace("patience_minutes: 30", "patience_minutes: 1"))
    assert changed.read_text() != text
    await apply_directory(stack.kafka, read_directory(changed))
    return timedelta(minutes=1)


@asynccontextmanager
async def _off_by(stack: LocalStack, hours: Mapping[str, float]) -> AsyncIterator[None]:
    """Run every service with its clock off by these hours, in place of the stack's own."""
    programs = [faulty(stack, service, "--hours", str(off)) for service, off in hours.items()]
    async with AsyncExitStack() as instead:
        processes = [await instead.enter_async_context(running(program)) for program in programs]
        await asyncio.gather(*map(until_ready, programs))
        yield
        for process in processes:
            process.terminate()
        await asyncio.gather(*(process.wait() for process in processes))


async def _is_off(stack: LocalStack, service: str, hours: float) -> None:
    """Wait until the service's metric of its last progress shows a clock that is off by these hours."""

    async def look() -> float:
        progress_s = await metric(
            stack.endpoints[service], "herhaal_last_progress_timestamp_seconds"
        )
        return (progress_s - time.time()) / 3600

    await eventually(look, lambda off: abs(off - hours) < 0.2)


async def _promises(told: Watch, more: int) -> None:
    """Wait for this many more promises."""
    before = len(_promised(told))

    async def look() -> int:
        return len(_promised(told)) - before

    await eventually(look, lambda count: count >= more, within_s=60)


def _promised(told: Watch) -> list[PickupPromised]:
    return [
        PickupPromised.model_validate_json(r.value)
        for r in told.records
        if header(r, "ce_type") == PickupPromised.ce_type()
    ]


def _decides(record: ConsumerRecord) -> bool:
    return header(record, "ce_type") in (OrderDecided.ce_type(), OrderLineDecided.ce_type())


async def _decisions_on(
    events: Watch, order: OrderPlace, count: int, within_s: float = 30
) -> list[OrderDecided | OrderLineDecided]:
    """Wait for this many decisions on an order, and return them."""

    async def look() -> list[OrderDecided | OrderLineDecided]:
        found = (_DECISION.validate_json(r.value) for r in events.records if _decides(r))
        return [decision for decision in found if decision.order_id == order.order_id]

    decisions: list[OrderDecided | OrderLineDecided] = await eventually(
        look, lambda found: len(found) >= count, within_s
    )
    return decisions


def _are_kept(
    promised: Iterable[PickupPromised], decisions: Iterable[OrderDecided | OrderLineDecided]
) -> None:
    """Check that each promise is the pickup window of a decision on its order, at its `decided_at`."""
    windows: dict[UUID, set[Window | None]] = defaultdict(set)
    directory = read_directory(EXAMPLE)
    for decision in decisions:
        if decision.practice == PRACTICE:
            windows[decision.order_id].add(_window(directory, decision.decided_at))
    for promise in promised:
        assert promise.promised_at <= datetime.now(UTC)
        assert Window(promise.from_, promise.until) in windows[promise.order_id]


def _window(directory: Directory, decided_at: datetime) -> Window | None:
    practices = {entry.agb: Practice(**dict(entry), version=1) for entry in directory.practices}
    pharmacies = {entry.agb: Pharmacy(**dict(entry), version=1) for entry in directory.pharmacies}
    practice, pharmacy = practices[PRACTICE], pharmacies[PHARMACY]
    calendar = Calendar(working_days(practice), PharmacyCalendar().openings(pharmacy))
    return pickup_window(decided_at, practice.processing, calendar)


async def _due(stack: LocalStack, order_id: UUID) -> datetime | None:
    """When the timer of a waiting order is due (UTC); None without a timer."""
    async with administrator(stack, "ordering") as db:
        due_at: datetime | None = await db.fetchval(_DUE, timer_id(order_id))
        return due_at
