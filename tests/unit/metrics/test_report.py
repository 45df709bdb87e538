"""The report: no gaps, every outcome and channel present, totals that add up."""

from datetime import date

from schemas.api.metrics import By, CountedChannel
from schemas.records.orders import Outcome
from services.metrics.domain.periods import periods
from services.metrics.store import Total
from services.metrics.views import report
from tests.harness.made import PRACTICE

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25)

FOUND = (
    Total(MONDAY, CountedChannel.PORTAL, Outcome.APPROVED, 3),
    Total(MONDAY, CountedChannel.PORTAL, Outcome.REFUSED, 1),
    Total(MONDAY, CountedChannel.PORTAL, None, 2),
    Total(WEDNESDAY, CountedChannel.RECEPTENLIJN, Outcome.APPROVED, 5),
    Total(WEDNESDAY, CountedChannel.RECEPTENLIJN, None, 4),
    Total(WEDNESDAY, CountedChannel.E_CONSULT, Outcome.REVIEW, 1),
    Total(WEDNESDAY, CountedChannel.E_CONSULT, None, 1),
    Total(WEDNESDAY, CountedChannel.PORTAL_BY_PRACTICE, Outcome.APPROVED, 2),
    Total(WEDNESDAY, CountedChannel.PORTAL_BY_PRACTICE, None, 2),
)


def test_a_period_without_orders_is_shown_with_zeros() -> None:
    shown = report(PRACTICE, MONDAY, WEDNESDAY, By.DAY, periods(MONDAY, WEDNESDAY, By.DAY), FOUND)

    assert [p.period for p in shown.periods] == ["2026-11-23", "2026-11-24", "2026-11-25"]
    tuesday = shown.periods[1]
    assert (tuesday.orders, tuesday.lines, tuesday.online_orders) == (0, 0, 0)
    assert set(tuesday.by_channel) == set(CountedChannel)
    assert set(tuesday.outcomes) == set(Outcome)


def test_only_what_patients_ordered_in_the_portal_is_online() -> None:
    shown = report(PRACTICE, MONDAY, WEDNESDAY, By.DAY, periods(MONDAY, WEDNESDAY, By.DAY), FOUND)

    assert [p.online_orders for p in shown.periods] == [2, 0, 0]
    assert (shown.totals.orders, shown.totals.online_orders) == (9, 2)


def test_totals_and_channels_add_up() -> None:
    shown = report(PRACTICE, MONDAY, WEDNESDAY, By.DAY, periods(MONDAY, WEDNESDAY, By.DAY), FOUND)

    for counts in (*shown.periods, shown.totals):
        assert counts.lines == sum(counts.outcomes.values())
        assert counts.lines == sum(c.lines for c in counts.by_channel.values())
        assert counts.orders == sum(c.orders for c in counts.by_channel.values())
    assert shown.totals.outcomes[Outcome.APPROVED] == 10


def test_the_report_has_the_names_of_the_query_parameters() -> None:
    shown = report(PRACTICE, MONDAY, MONDAY, By.DAY, periods(MONDAY, MONDAY, By.DAY), ())

    answer = shown.model_dump(mode="json", by_alias=True)
    assert (answer["from"], answer["to"], answer["by"]) == ("2026-11-23", "2026-11-23", "day")
