"""Figures of a practice: its orders per week or month, how many of them online, as chart and table."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from starlette.responses import Response

from portal.web import formats
from portal.web.away import Away, unless_away
from portal.web.chart import Bar, Chart
from portal.web.languages import mark
from portal.web.own import own_practice
from portal.web.pages import Pages
from portal.web.visit import Visit
from schemas.access import Action
from schemas.api.metrics import By, CountedChannel, OrdersReport, PeriodCounts
from schemas.times import local_date

PERIODS = 13
"""How many weeks or months are shown."""

CHANNELS: Mapping[CountedChannel, str] = {
    CountedChannel.PORTAL: mark("Online, by patients"),
    CountedChannel.PORTAL_BY_PRACTICE: mark("Entered by the practice"),
    CountedChannel.RECEPTENLIJN: mark("Repeat phone line"),
    CountedChannel.COUNTER: mark("Counter and telephone"),
    CountedChannel.E_CONSULT: mark("E-consult"),
    CountedChannel.REPEAT_SERVICE: mark("Repeat service"),
}
"""How orders came in, in the words of a practice, in English."""

pages = Pages()


@dataclass(frozen=True)
class Row:
    """One week or month: its name, orders, how many of them online, and of each channel that is shown."""

    period: str
    so_far: bool
    orders: int
    online: int
    share: float | None
    by_channel: Sequence[int]


@pages.get("/practice/orders", Action.REPORTS_READ)
async def orders(visit: Visit) -> Response:
    """Orders of the practice per week or month, by channel."""
    practice = own_practice(visit)
    by = By.MONTH if visit.request.query_params.get("by") == "month" else By.WEEK
    today = local_date(visit.now)
    report, about = await asyncio.gather(
        unless_away(visit.api.metrics.orders(practice, first_day(today, by), today, by)),
        unless_away(visit.practice(practice)),
    )
    channels = () if isinstance(report, Away) else used_channels(report)
    rows = () if isinstance(report, Away) else _rows(visit, report, channels, today)
    return await visit.render(
        "practice/orders.html",
        report=report,
        by=by.value,
        about=about,
        channels=[CHANNELS[each] for each in channels],
        rows=rows,
        chart=_chart(visit, rows),
    )


def first_day(today: date, by: By) -> date:
    """The first day of the first of `PERIODS` weeks or months, of which the last is now."""
    if by is By.WEEK:
        return today - timedelta(days=today.weekday(), weeks=PERIODS - 1)
    months = today.year * 12 + today.month - 1 - (PERIODS - 1)
    return date(months // 12, months % 12 + 1, 1)


def used_channels(report: OrdersReport) -> Sequence[CountedChannel]:
    """The channels by which any order came in; online always."""
    counts = report.totals.by_channel
    return [each for each in CHANNELS if each is CountedChannel.PORTAL or counts[each].orders]


def share(online: int, orders: int) -> float | None:
    """The part of the orders that came in online, 0 to 1; None without orders."""
    return online / orders if orders else None


def _rows(
    visit: Visit, report: OrdersReport, channels: Sequence[CountedChannel], today: date
) -> Sequence[Row]:
    return [
        Row(
            _name(visit, each, report.by),
            each.last_day == today,
            each.orders,
            each.online_orders,
            share(each.online_orders, each.orders),
            [each.by_channel[channel].orders for channel in channels],
        )
        for each in reversed(report.periods)
    ]


def _name(visit: Visit, period: PeriodCounts, by: By) -> str:
    if by is By.MONTH:
        return formats.short_month(period.first_day, visit.language)
    return visit.translate(WEEK) % {"week": period.first_day.isocalendar().week}


WEEK = mark("week %(week)s")
ONLINE_OF_ALL = mark("%(online)s of %(orders)s")


def _chart(visit: Visit, rows: Sequence[Row]) -> Chart:
    bars = [
        Bar(
            row.period,
            (row.online, row.orders - row.online),
            visit.translate(ONLINE_OF_ALL)
            % {
                "online": formats.number(row.online, visit.language),
                "orders": formats.number(row.orders, visit.language),
            },
        )
        for row in rows
    ]
    return Chart(
        "orders",
        visit.translate(mark("Online orders and all other orders")),
        visit.translate(
            mark("A bar for each period, the newest on top. The table below has the numbers.")
        ),
        [visit.translate(mark("Online, by patients")), visit.translate(mark("All other ways"))],
        bars,
    )
