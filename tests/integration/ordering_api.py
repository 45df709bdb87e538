"""A client of ordering's HTTP API, for portals and pharmacies."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx

from deploy.local import LocalStack
from deploy.local.postgres.databases import owner_dsn
from schemas.base import Actor
from schemas.records.medication import Medication
from schemas.records.orders import OrderPlace
from schemas.topics import MEDICATION_CHANGES
from tests.harness.kafka import eventually, send, sent
from tests.harness.made import a_patient, an_import, as_json, entry

_WAIT_FOR_LOCKS = """
select count(*) from pg_stat_activity where datname = 'ordering' and wait_event_type = 'Lock'
"""


@dataclass(frozen=True)
class OrderingClient:
    """Calls ordering's API; `wait` is in seconds, sent as `Prefer: wait`."""

    stack: LocalStack
    http: httpx.AsyncClient

    def url(self, path: str) -> str:
        """Return the URL of a path of ordering."""
        return self.stack.endpoints["ordering"] + path

    async def get(self, path: str, **params: Any) -> httpx.Response:
        """GET a path of ordering."""
        return await self.http.get(self.url(path), params=params)

    async def place(self, order: OrderPlace, wait: int = 0, **headers: str) -> httpx.Response:
        """POST an order."""
        return await self.post("/orders", as_json(order), wait, **headers)

    async def cancel(self, order: OrderPlace, wait: int = 0) -> httpx.Response:
        """POST the patient's cancellation of an order."""
        by = Actor.model_validate_json('{"role": "patient", "id": "x"}').model_dump(mode="json")
        return await self.post(f"/orders/{order.order_id}/cancel", {"cancelled_by": by}, wait)

    async def post(self, path: str, body: Any, wait: int = 0, **headers: str) -> httpx.Response:
        """POST a JSON body."""
        preference = {"prefer": f"wait={wait}"} if wait else {}
        return await self.http.post(self.url(path), json=body, headers=preference | headers)

    async def patient(self, *medications: Medication) -> str:
        """Create a patient whose overview ordering has stored; metformine if no medicine is named."""
        patient = a_patient()
        change = an_import(patient, *(medications or (entry(),)))
        await send(self.stack.kafka, [sent(MEDICATION_CHANGES.name, change)])

        async def look() -> int:
            return await self.count("overviews", "patient", patient)

        await eventually(look, lambda count: count == 1)
        return patient

    async def count(self, table: str, column: str, value: object) -> int:
        """Count the rows of a table of ordering that have this value."""
        db = await asyncpg.connect(self.stack.databases["ordering"])
        try:
            query = f"select count(*) from {table} where {column}::text = $1"
            return int(await db.fetchval(query, str(value)) or 0)
        finally:
            await db.close()

    @asynccontextmanager
    async def nobody_saves_orders(self) -> AsyncIterator[Callable[[], Awaitable[int]]]:
        """Block saves of orders while the body runs; yield a function that counts blocked sessions."""
        db = await asyncpg.connect(owner_dsn(self.stack.postgres, "ordering"))

        async def saving() -> int:
            return int(await db.fetchval(_WAIT_FOR_LOCKS) or 0)

        try:
            async with db.transaction():
                await db.execute("lock table orders in share mode")
                yield saving
        finally:
            await db.close()

    async def feed(self, pharmacy: str, after: str | None = None, limit: int = 100) -> Any:
        """Return one page of a pharmacy's feed."""
        params = {"limit": limit} | ({"after": after} if after else {})
        answer = await self.get(f"/pharmacies/{pharmacy}/prescriptions", **params)
        assert answer.status_code == 200, answer.text
        return answer.json()


def is_problem(answer: httpx.Response, status: int) -> bool:
    """Check that the answer is problem+json with this status and no traceback."""
    body = answer.json()
    return (
        answer.status_code == body["status"] == status
        and answer.headers["content-type"] == "application/problem+json"
        and {"type", "title", "detail"} <= body.keys()
        and "Traceback" not in answer.text
    )
