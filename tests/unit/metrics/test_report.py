"""The report: no gaps, every outcome and channel present, totals that add up."""

from collections.abc import Sequence
from datetime import date

from cli.directory import read_directory
from cli.example.contents import DIRECTORY
from schemas.api.metrics import By, CountedChannel
from schemas.records.directory import Practice
from schemas.records.orders import Outcome
from services.metrics.domain.periods import periods
from services.metrics.store import Total
from services.metrics.views import Span, region_report, report
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


def span(first: date, last: date) -> Span:
    return Span(first, last, By.DAY, tuple(periods(first, last, By.DAY)))


def test_a_period_without_orders_is_shown_with_zeros() -> None:
    shown = report(PRACTICE, span(MONDAY, WEDNESDAY), FOUND)

    assert [p.period for p in shown.periods] == ["2026-11-23", "2026-11-24", "2026-11-25"]
    tuesday = shown.periods[1]
    assert (tuesday.orders, tuesday.lines, tuesday.online_orders) == (0, 0, 0)
    assert set(tuesday.by_channel) == set(CountedChannel)
    assert set(tuesday.outcomes) == set(Outcome)


def test_only_what_patients_ordered_in_the_portal_is_online() -> None:
    shown = report(PRACTICE, span(MONDAY, WEDNESDAY), FOUND)

    assert [p.online_orders for p in shown.periods] == [2, 0, 0]
    assert (shown.totals.orders, shown.totals.online_orders) == (9, 2)


def test_totals_and_channels_add_up() -> None:
    shown = report(PRACTICE, span(MONDAY, WEDNESDAY), FOUND)

    for counts in (*shown.periods, shown.totals):
        assert counts.lines == sum(counts.outcomes.values())
        assert counts.lines == sum(c.lines for c in counts.by_channel.values())
        assert counts.orders == sum(c.orders for c in counts.by_channel.values())
    assert shown.totals.outcomes[Outcome.APPROVED] == 10


def test_the_report_has_the_names_of_the_query_parameters() -> None:
    shown = report(PRACTICE, span(MONDAY, MONDAY), ())

    answer = shown.model_dump(mode="json", by_alias=True)
    assert (answer["from"], answer["to"], answer["by"]) == ("2026-11-23", "2026-11-23", "day")


def test_a_region_shows_each_practice_by_name_and_all_together() -> None:
    """Given two practices, of which one has orders; then the other has zeros, and the region has the sum."""
    like = read_directory(DIRECTORY).practices[0]
    zonnehof, aalscholver = (
        Practice(**dict(like) | {"agb": agb, "name": name}, version=1)
        for agb, name in ((PRACTICE, "Zonnehof"), ("01999002", "Aalscholver"))
    )
    counts: dict[str, Sequence[Total]] = {PRACTICE: FOUND, "01999002": FOUND[:3]}
    shown = region_report("Lindewaard", (zonnehof, aalscholver), span(MONDAY, WEDNESDAY), counts)

    assert [each.name for each in shown.practices] == ["Aalscholver", "Zonnehof"]
    assert [each.practice for each in shown.practices] == ["01999002", PRACTICE]
    assert [each.totals.orders for each in shown.practices] == [2, 9]
    assert (shown.totals.orders, shown.totals.online_orders) == (11, 4)
    assert [period.orders for period in shown.periods] == [4, 0, 7]
    assert shown.practices[1].model_dump(include={"periods", "totals"}) == report(
        PRACTICE, span(MONDAY, WEDNESDAY), FOUND
    ).model_dump(include={"periods", "totals"})


def test_a_region_without_practices_has_zeros() -> None:
    shown = region_report("Elders", (), span(MONDAY, WEDNESDAY), {})
    assert shown.practices == []
    assert [period.orders for period in shown.periods] == [0, 0, 0]
