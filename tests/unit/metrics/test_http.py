"""metrics' routes: the requested period and the response, without a database."""

from datetime import date
from typing import Any

import pytest

from cli.directory import read_directory
from cli.example.contents import DIRECTORY
from samples.callers import Permitted
from schemas.access import Party
from schemas.api.metrics import CountedChannel
from schemas.records.directory import Practice
from schemas.records.orders import Outcome
from services.metrics import store
from services.metrics.app import SERVICE
from tests.unit.served import FakeConnections, Served, claimed

PRACTICE = "01999001"
PATH = f"/practices/{PRACTICE}/orders"


class Asked:
    """The counts of one practice; notes the arguments of the query."""

    def __init__(self) -> None:
        self.all: list[tuple[Any, ...]] = []

    @property
    def arguments(self) -> tuple[Any, ...]:
        """Those of the only query; none when there was none."""
        return self.all[0] if self.all else ()

    def __call__(self, *arguments: Any) -> list[dict[str, Any]]:
        self.all.append(arguments)
        row = {
            "practice": PRACTICE,
            "start": date(2026, 11, 2),
            "channel": CountedChannel.PORTAL,
            "count": 3,
        }
        return [row | {"outcome": None}, row | {"outcome": Outcome.APPROVED, "count": 5}]


def metrics(asked: Asked) -> Served:
    """metrics over these counts."""
    return Served(SERVICE, FakeConnections({store._TOTALS: asked}))


async def test_a_report_covers_the_requested_days() -> None:
    asked = Asked()
    answer = await metrics(asked).ask("GET", f"{PATH}?from=2026-11-01&to=2026-11-03")
    assert answer.status_code == 200
    assert asked.arguments[:3] == ([PRACTICE], date(2026, 11, 1), date(2026, 11, 3))
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


REGION = "/regions/Lindewaard/orders"


def of_region(asked: Asked, region: str = "Lindewaard") -> Served:
    """metrics over these counts, asked by somebody of a region whose directory has three practices."""
    served = metrics(asked)
    served.tokens = Permitted(lambda *_, **__: claimed(Party.REGION, region=region))
    like = read_directory(DIRECTORY).practices[0]
    for agb, place in (
        (PRACTICE, "Lindewaard"),
        ("01999002", "Lindewaard"),
        ("01999003", "Elders"),
    ):
        fields = dict(like) | {"agb": agb, "region": place}
        served.tables[Practice].rows[agb] = Practice(**fields, version=1)
    return served


async def test_a_region_is_asked_for_in_one_query_for_its_own_practices() -> None:
    asked = Asked()
    answer = await of_region(asked).ask("GET", f"{REGION}?from=2026-11-01&to=2026-11-03")
    assert answer.status_code == 200, answer.text
    days = (date(2026, 11, 1), date(2026, 11, 3))
    assert asked.all == [([PRACTICE, "01999002"], *days, "day")]
    body = answer.json()
    assert (body["region"], body["from"], body["by"]) == ("Lindewaard", "2026-11-01", "day")
    assert sorted(each["totals"]["orders"] for each in body["practices"]) == [0, 3]
    assert body["totals"]["lines"] == 5


async def test_somebody_of_another_region_is_told_nothing() -> None:
    asked = Asked()
    answer = await of_region(asked, "Elders").ask("GET", REGION)
    assert answer.status_code == 404
    assert asked.all == []


@pytest.mark.parametrize(
    "query",
    ["from=2026-11-03&to=2026-11-01", "from=2026-01-01&to=2026-03-04", "by=x"],
    ids=["reversed", "63 days", "no period"],
)
async def test_a_region_asks_for_not_too_many_periods(query: str) -> None:
    asked = Asked()
    assert (await of_region(asked).ask("GET", f"{REGION}?{query}")).status_code == 422
    assert asked.all == []
