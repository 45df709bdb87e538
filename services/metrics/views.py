"""Response body of metrics' API: the orders of a practice per period, and in total."""

from collections.abc import Iterable
from datetime import date

from schemas.api.metrics import By, ChannelCounts, Counts, OrdersReport, PeriodCounts
from services.metrics.domain.counting import ONLINE
from services.metrics.domain.periods import Period
from services.metrics.store import Total


def report(
    practice: str, first: date, last: date, by: By, shown: Iterable[Period], stored: Iterable[Total]
) -> OrdersReport:
    """Distribute the stored totals over the periods to show; a period without orders has zeros."""
    rows = {
        period.start: PeriodCounts(
            period=period.label, first_day=period.first, last_day=period.last
        )
        for period in shown
    }
    totals = ChannelCounts()
    for total in stored:
        _add_by_channel(rows[total.start], total)
        _add_by_channel(totals, total)
    return OrdersReport(
        practice=practice, first=first, last=last, by=by, periods=list(rows.values()), totals=totals
    )


def _add_by_channel(counts: ChannelCounts, total: Total) -> None:
    _add(counts, total)
    _add(counts.by_channel[total.channel], total)
    counts.online_orders = counts.by_channel[ONLINE].orders


def _add(counts: Counts, total: Total) -> None:
    if total.outcome is None:
        counts.orders += total.count
    else:
        counts.lines += total.count
        counts.outcomes[total.outcome] += total.count
