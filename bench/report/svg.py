"""Draws the orders per second of each engine, with the spread over the rounds, in light and dark mode."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

PLOT = 440
VALUE = 90
CHARACTER = 7.2
"""Upper bound of a label character's width, for any font."""
BAR = 22
GAP = 10
TOP = 58

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 } .soft { fill: #59636e }
.peer { fill: #8c959f } .ours { fill: #1a7f5a } .spread { stroke: #1f2328; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .soft { fill: #9198a1 } .peer { fill: #656c76 } .ours { fill: #3fb98a }
  .spread { stroke: #e6edf3 }
}
"""


@dataclass(frozen=True)
class Bar:
    """One bar: the median of its values, and their spread."""

    label: str
    values: tuple[float, ...]
    ours: bool

    @property
    def median(self) -> float:
        return statistics.median(self.values)


def bars(raw: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> dict[str, list[Bar]]:
    """Make the bars of each size of the order-validation job, slowest first."""
    rates: dict[str, dict[str, list[float]]] = {}
    for run in raw:
        if run["figure"] == "validation":
            size = f"{run['job']:,} orders"
            rates.setdefault(size, {}).setdefault(run["engine"], []).append(run["per_s"])
    return {size: _sorted(engines, titles) for size, engines in rates.items()}


def _sorted(engines: Mapping[str, Sequence[float]], titles: Mapping[str, str]) -> list[Bar]:
    bars = [Bar(titles[name], tuple(v), name.startswith("ours")) for name, v in engines.items()]
    return sorted(bars, key=lambda bar: bar.median)


def svg(panels: Mapping[str, Sequence[Bar]], title: str) -> str:
    """Make the SVG text."""
    parts: list[str] = []
    y = TOP
    labels = [bar.label for bars in panels.values() for bar in bars]
    left = round(26 + CHARACTER * max(map(len, labels), default=0))
    width = left + PLOT + VALUE
    most = max((max(bar.values) for bars in panels.values() for bar in bars), default=1.0)
    for name, bars in panels.items():
        parts.append(f'<text class="soft" x="16" y="{y}">{escape(name)}</text>')
        y += 12
        for bar in bars:
            parts += _bar(bar, left, y, most)
            y += BAR + GAP
        y += 26
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" width="{width}"'
        f' height="{y}" role="img" aria-label="{escape(title)}">\n<style>{_STYLE}</style>\n'
        f'<text class="title" x="16" y="28">{escape(title)}</text>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"


def _bar(bar: Bar, left: int, y: int, most: float) -> list[str]:
    def x(value: float) -> float:
        return left + PLOT * value / most

    middle = y + BAR / 2
    least, median, highest = x(min(bar.values)), x(bar.median), x(max(bar.values))
    kind = "ours" if bar.ours else "peer"
    return [
        f'<text x="{left - 10}" y="{middle + 4.5:.1f}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect class="{kind}" x="{left}" y="{y}" width="{median - left:.1f}" height="{BAR}" rx="3"/>',
        f'<line class="spread" x1="{least:.1f}" x2="{highest:.1f}" y1="{middle}" y2="{middle}"/>',
        f'<text x="{max(median, highest) + 8:.1f}" y="{middle + 4.5:.1f}">{bar.median:,.0f}</text>',
    ]
