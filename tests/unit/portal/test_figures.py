"""The figures of a practice and of a region: what is asked, what is shown, and what is not."""

from datetime import date

import httpx
import pytest

from herhaal_client import NotFound
from portal.practice import figures
from portal.region import figures as of_region
from schemas.access import Claims, Party
from schemas.api.metrics import (
    By,
    ChannelCounts,
    CountedChannel,
    Counts,
    OrdersReport,
    PeriodCounts,
    PracticeOrders,
    RegionReport,
)
from tests.harness.made import PRACTICE
from tests.unit.portal.visits import MANAGER, REGION, Told, a_visit, answering, look

ORDERS = f"GET metrics/practices/{PRACTICE}/orders"
OF_REGION = "GET metrics/regions/Lindewaard/orders"
TODAY = date(2026, 11, 29)


def counted(first: date, last: date, online: int, counter: int) -> PeriodCounts:
    return PeriodCounts(
        period="any", first_day=first, last_day=last, **dict(channels(online, counter))
    )


def channels(online: int, counter: int) -> ChannelCounts:
    by_channel = {channel: Counts() for channel in CountedChannel} | {
        CountedChannel.PORTAL: Counts(orders=online),
        CountedChannel.COUNTER: Counts(orders=counter),
    }
    return ChannelCounts(orders=online + counter, online_orders=online, by_channel=by_channel)


REPORT = OrdersReport(
    practice=PRACTICE,
    first=date(2026, 11, 16),
    last=TODAY,
    by=By.WEEK,
    periods=[
        counted(date(2026, 11, 16), date(2026, 11, 22), 3, 1),
        counted(date(2026, 11, 23), TODAY, 1000, 500),
    ],
    totals=channels(1003, 501),
)


async def test_a_manager_sees_orders_per_week_newest_first_with_the_share_online() -> None:
    told = Told({ORDERS: answering(REPORT)})
    status, html = await look(figures.pages, "GET", "/practice/orders", a_visit(MANAGER, told))
    assert status == 200
    assert html.index("Week 48") < html.index("Week 47")
    assert "1,000 of 1,500" in html
    assert "67%" in html
    assert "75%" in html
    asked = told.requests[0].url.params
    assert (asked["from"], asked["to"], asked["by"]) == ("2026-08-31", "2026-11-29", "week")


async def test_channels_that_nobody_used_are_left_out() -> None:
    told = Told({ORDERS: answering(REPORT)})
    _, html = await look(figures.pages, "GET", "/practice/orders", a_visit(MANAGER, told))
    assert "Counter and telephone" in html
    assert "Repeat phone line" not in html


async def test_numbers_are_written_as_dutch_people_do() -> None:
    told = Told({ORDERS: answering(REPORT)})
    visit = a_visit(MANAGER, told, language="nl")
    _, html = await look(figures.pages, "GET", "/practice/orders", visit)
    assert "1.500" in html


async def test_by_month_asks_thirteen_months() -> None:
    told = Told({ORDERS: answering(REPORT.model_copy(update={"by": By.MONTH}))})
    visit = a_visit(MANAGER, told, query={"by": "month"})
    _, html = await look(figures.pages, "GET", "/practice/orders", visit)
    assert told.requests[0].url.params["from"] == "2025-11-01"
    assert "Orders per month" in html


async def test_a_practice_without_orders_is_told_so() -> None:
    nothing = REPORT.model_copy(update={"totals": ChannelCounts()})
    told = Told({ORDERS: answering(nothing)})
    _, html = await look(figures.pages, "GET", "/practice/orders", a_visit(MANAGER, told))
    assert "There are no orders yet" in html
    assert "<table" not in html


async def test_when_metrics_is_away_its_part_of_the_page_says_so() -> None:
    told = Told({ORDERS: httpx.ConnectError("refused")})
    status, html = await look(figures.pages, "GET", "/practice/orders", a_visit(MANAGER, told))
    assert status == 200
    assert "We cannot show this part now" in html


async def test_who_works_at_no_practice_finds_no_figures() -> None:
    region = Claims(sub="usr_region", role=Party.REGION, region="Lindewaard")
    with pytest.raises(NotFound):
        await look(figures.pages, "GET", "/practice/orders", a_visit(region, Told({})))


def of_practice(name: str, *online_and_counter: tuple[int, int]) -> PracticeOrders:
    periods = [counted(TODAY, TODAY, *each) for each in online_and_counter]
    return PracticeOrders(practice=PRACTICE, name=name, periods=periods, totals=ChannelCounts())


def of_a_region(*practices: PracticeOrders) -> RegionReport:
    return RegionReport(
        region="Lindewaard",
        first=TODAY,
        last=TODAY,
        by=By.QUARTER,
        practices=[*practices],
        periods=[
            counted(date(2026, 7, 1), date(2026, 9, 30), 30, 10),
            counted(date(2026, 10, 1), TODAY, 5, 5),
        ],
        totals=channels(35, 15),
    )


async def test_a_region_sees_its_practices_by_quarter_and_a_chart_of_the_newest_whole_one() -> None:
    report = of_a_region(
        of_practice("De Linde", (30, 10), (5, 5)), of_practice("Leeg", (0, 0), (0, 0))
    )
    told = Told({OF_REGION: answering(report)})
    status, html = await look(of_region.pages, "GET", "/region/orders", a_visit(REGION, told))
    assert status == 200
    assert "Share of online orders in quarter 3 of 2026" in html
    assert "75%" in html
    assert "30 of 40" in html
    assert html.index("Quarter 4 of 2026") < html.index("Quarter 3 of 2026")
    chart = html[html.index("<figure") : html.index("</figure>")]
    assert "De Linde" in chart
    assert "Leeg" not in chart
    asked = told.requests[0].url.params
    assert (asked["from"], asked["by"]) == ("2025-10-01", "quarter")


async def test_a_region_without_practices_is_told_so() -> None:
    told = Told({OF_REGION: answering(of_a_region())})
    _, html = await look(of_region.pages, "GET", "/region/orders", a_visit(REGION, told))
    assert "There are no practices in this region yet" in html


@pytest.mark.parametrize(
    ("today", "first"),
    [(date(2026, 11, 29), date(2025, 10, 1)), (date(2026, 1, 1), date(2025, 1, 1))],
)
def test_five_quarters_begin_a_year_before_this_one(today: date, first: date) -> None:
    assert of_region.first_day(today) == first


@pytest.mark.parametrize(
    ("today", "by", "first"),
    [
        (date(2026, 11, 29), By.WEEK, date(2026, 8, 31)),
        (date(2026, 11, 30), By.WEEK, date(2026, 9, 7)),
        (date(2026, 1, 15), By.MONTH, date(2025, 1, 1)),
    ],
)
def test_thirteen_periods_with_this_one(today: date, by: By, first: date) -> None:
    assert figures.first_day(today, by) == first
