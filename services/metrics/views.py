"""Response bodies of metrics' API: the orders of a practice or a region per period, and in total."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from schemas.api.metrics import (
    By,
    ChannelCounts,
    Counts,
    OrdersReport,
    PeriodCounts,
    PracticeOrders,
    RegionReport,
)
from schemas.records.directory import Practice
from services.metrics.domain.counting import ONLINE
from services.metrics.domain.periods import Period
from services.metrics.store import Total


@dataclass(frozen=True)
class Span:
    """The days of a report, `first` to `last`, both included, and its periods."""

    first: date
    last: date
    by: By
    periods: Sequence[Period]


def report(practice: str, span: Span, stored: Iterable[Total]) -> OrdersReport:
    """The orders of a practice; a period without orders has zeros."""
    periods, totals = _distributed(span, stored)
    return OrdersReport(
        practice=practice,
        first=span.first,
        last=span.last,
        by=span.by,
        periods=periods,
        totals=totals,
    )


def region_report(
    region: str, practices: Iterable[Practice], span: Span, stored: Mapping[str, Sequence[Total]]
) -> RegionReport:
    """The orders of each practice, by name, and of all together."""
    periods, totals = _distributed(span, (total for of_one in stored.values() for total in of_one))
    by_name = sorted(practices, key=lambda practice: (practice.name, practice.agb))
    return RegionReport(
        region=region,
        first=span.first,
        last=span.last,
        by=span.by,
        practices=[_practice_orders(each, span, stored[each.agb]) for each in by_name],
        periods=periods,
        totals=totals,
    )


def _practice_orders(practice: Practice, span: Span, stored: Iterable[Total]) -> PracticeOrders:
    periods, totals = _distributed(span, stored)
    return PracticeOrders(practice=practice.agb, name=practice.name, periods=periods, totals=totals)


def _distributed(span: Span, stored: Iterable[Total]) -> tuple[list[PeriodCounts], ChannelCounts]:
    """The stored counts by period, and all together."""
    rows = {
        period.start: PeriodCounts(
            period=period.label, first_day=period.first, last_day=period.last
        )
        for period in span.periods
    }
    totals = ChannelCounts()
    for total in stored:
        _add_by_channel(rows[total.start], total)
        _add_by_channel(totals, total)
    return list(rows.values()), totals


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
