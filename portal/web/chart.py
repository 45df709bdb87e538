"""A chart of horizontal bars. Places are shares of the width, so that text keeps its size on a phone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

STEP = 34
"""From one bar to the next, in pixels."""

STEP_WITH_LABEL_ABOVE = 54


@dataclass(frozen=True)
class Bar:
    """One bar: its label, a value for each series, and what is written at its end."""

    label: str
    values: Sequence[float]
    note: str


@dataclass(frozen=True)
class Segment:
    """One part of a bar: the number of its series, its start and its width, in % of the longest bar."""

    series: int
    start: float
    width: float


@dataclass(frozen=True)
class Chart:
    """Stacked bars, first bar on top. `series` are their names; `title` and `description` are read aloud.

    `longest` is the value of a whole bar; None: the highest one. Long labels go `above` their bars.
    """

    id: str
    title: str
    description: str
    series: Sequence[str]
    bars: Sequence[Bar]
    longest: float | None = None
    above: bool = False

    @property
    def step(self) -> int:
        """From one bar to the next, in pixels."""
        return STEP_WITH_LABEL_ABOVE if self.above else STEP

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.step * len(self.bars)

    def segments(self, bar: Bar) -> Iterator[Segment]:
        """The parts of a bar that are longer than nothing."""
        whole = self.longest or max((sum(each.values) for each in self.bars), default=0)
        start = 0.0
        for series, value in enumerate(bar.values):
            width = 100 * value / whole if whole else 0
            if width:
                yield Segment(series, round(start, 2), round(width, 2))
            start += width

    def end(self, bar: Bar) -> float:
        """Where a bar ends, in % of the longest bar."""
        return max((each.start + each.width for each in self.segments(bar)), default=0)
