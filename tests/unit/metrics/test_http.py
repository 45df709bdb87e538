"""metrics' routes: the requested period and the response, without a database."""

from datetime import date
from typing import Any

import pytest

from schemas.api.metrics import CountedChannel
from schemas.records.orders import Outcome
from services.metrics import store
from services.metrics.app import SERVICE
from tests.unit.served import FakeConnections, Served

PRACTICE = "01999001"
PATH = f"/practices/{PRACTICE}/orders"


class Asked:
    """The counts of one practice; notes the arguments of the query."""

    def __init__(self) -> None:
        self.arguments: tuple[Any, ...] = ()

    def __call__(self, *arguments: Any) -> list[dict[str, Any]]:
        self.arguments = arguments
        row = {"start": date(2026, 11, 2), "channel": CountedChannel.PORTAL, "count": 3}
        return [row | {"outcome": None}, row | {"outcome": Outcome.APPROVED, "count": 5}]


def metrics(asked: Asked) -> Served:
    """metrics over these counts."""
    return Served(SERVICE, FakeConnections({store._TOTALS: asked}))


async def test_a_report_covers_the_requested_days() -> None:
    asked = Asked()
    answer = await metrics(asked).ask("GET", f"{PATH}?from=2026-11-01&to=2026-11-03")
    assert answer.status_code == 200
    assert asked.arguments[:3] == (PRACTICE, date(2026, 11, 1), date(2026, 11, 3))
    assert len(answer.json()["periods"]) == 3


@pytest.mark.parametrize(
    "query",
    ["from=2026-11-03&to=2026-11-01", "from=2015-01-01&to=2026-01-01", "from=1730000000", "by=x"],
)
async def test_an_invalid_period_is_refused_without_a_query(query: str) -> None:
    asked = Asked()
    answer = await metrics(asked).ask("GET", f"{PATH}?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert asked.arguments == ()


async def test_a_report_without_a_free_connection_is_answered_503() -> None:
    served = Served(SERVICE, FakeConnections(fails=TimeoutError()))
    answer = await served.ask("GET", f"{PATH}?from=2026-11-01&to=2026-11-03")
    assert answer.status_code == 503
