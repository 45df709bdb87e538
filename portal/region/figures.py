"""Figures of a region: orders of each practice by quarter, and how many of them online. No patient ever."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from starlette.responses import Response

from portal.web import formats
from portal.web.away import Away, unless_away
from portal.web.chart import Bar, Chart
from portal.web.languages import mark
from portal.web.own import own_region
from portal.web.pages import Pages
from portal.web.visit import Visit
from schemas.access import Action
from schemas.api.metrics import By, PeriodCounts, RegionReport
from schemas.times import local_date

QUARTERS = 5
"""How many quarters are shown; the last is now."""

MONTHS = 3

pages = Pages()


@dataclass(frozen=True)
class Cell:
    """Orders in a quarter, how many of them online, and what part that is, 0 to 1; None without orders."""

    online: int
    orders: int

    @property
    def share(self) -> float | None:
        """The part of the orders that came in online."""
        return self.online / self.orders if self.orders else None


@dataclass(frozen=True)
class Row:
    """A practice, or all together, and its quarters, newest first."""

    name: str
    cells: Sequence[Cell]


@pages.get("/region/orders", Action.REPORTS_REGION)
async def orders(visit: Visit) -> Response:
    """Orders of the region's practices by quarter."""
    region, today = own_region(visit), local_date(visit.now)
    first = first_day(today)
    report = await unless_away(visit.api.metrics.of_region(region, first, today, By.QUARTER))
    if isinstance(report, Away):
        return await visit.render("region/orders.html", report=report, region=region)
    rows = practice_rows(report)
    return await visit.render(
        "region/orders.html",
        report=report,
        region=region,
        quarters=_quarters(visit, report.periods),
        rows=rows,
        totals=Row("", _cells(report.periods)),
        chart=_chart(visit, rows, first_day(today, 1)),
    )


def first_day(today: date, back: int = QUARTERS - 1) -> date:
    """The first day of the quarter that was `back` quarters before this one."""
    quarters = today.year * 4 + (today.month - 1) // MONTHS - back
    return date(quarters // 4, quarters % 4 * MONTHS + 1, 1)


def practice_rows(report: RegionReport) -> Sequence[Row]:
    """The practices, by name."""
    return [Row(each.name, _cells(each.periods)) for each in report.practices]


def _cells(periods: Sequence[PeriodCounts]) -> Sequence[Cell]:
    return [Cell(each.online_orders, each.orders) for each in reversed(periods)]


QUARTER = mark("quarter %(quarter)s of %(year)s")


def _quarters(visit: Visit, periods: Iterable[PeriodCounts]) -> Sequence[str]:
    return [_name(visit, each.first_day) for each in reversed([*periods])]


def _name(visit: Visit, day: date) -> str:
    return visit.translate(QUARTER) % {"quarter": (day.month - 1) // MONTHS + 1, "year": day.year}


def _chart(visit: Visit, rows: Sequence[Row], newest_whole: date) -> Chart:
    bars = [
        Bar(row.name, (share,), formats.percent(share, visit.language))
        for row in rows
        if (share := row.cells[1].share) is not None
    ]
    title = visit.translate(mark("Share of online orders in %(quarter)s"))
    return Chart(
        "shares",
        title % {"quarter": _name(visit, newest_whole)},
        visit.translate(mark("A bar for each practice. The table below has the numbers.")),
        [visit.translate(mark("Online share"))],
        bars,
        longest=1,
        above=True,
    )
