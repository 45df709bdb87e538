"""A chart: its parts stand where their values say, and everything fits into the longest bar."""

from portal.web.chart import Bar, Chart, Segment

BARS = (Bar("a", (3, 1), "3 of 4"), Bar("b", (0, 2), "0 of 2"), Bar("c", (0, 0), "0 of 0"))
CHART = Chart("it", "Title", "About", ("online", "other"), BARS)


def test_the_longest_bar_fills_the_width_and_the_others_in_proportion() -> None:
    assert [*CHART.segments(BARS[0])] == [Segment(0, 0, 75), Segment(1, 75, 25)]
    assert [*CHART.segments(BARS[1])] == [Segment(1, 0, 50)]
    assert (CHART.end(BARS[0]), CHART.end(BARS[1]), CHART.end(BARS[2])) == (100, 50, 0)


def test_a_chart_of_shares_has_a_whole_of_its_own() -> None:
    share = Bar("a", (0.25,), "25%")
    assert Chart("it", "", "", ("share",), (share,), longest=1).end(share) == 25


def test_a_chart_of_nothing_has_no_parts() -> None:
    nothing = Chart("it", "", "", ("online",), (Bar("a", (0,), "0"),))
    assert [*nothing.segments(nothing.bars[0])] == []
