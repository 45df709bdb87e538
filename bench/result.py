"""The rows of the result: ours against a peer, with the ratio of each round and its spread."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Goal:
    """The bound, least or most, of the ratio (`of="ratio"`) or of our own figure (`of="ours"`)."""

    bound: float
    at: Literal["least", "most"] = "least"
    of: Literal["ratio", "ours"] = "ratio"
    unit: str = ""

    def met(self, row_ratio: float | None, ours: float | None) -> bool | None:
        """Whether the goal is met; None without a measurement."""
        value = row_ratio if self.of == "ratio" else ours
        if value is None:
            return None
        return value >= self.bound if self.at == "least" else value <= self.bound

    def __str__(self) -> str:
        sign = "≥" if self.at == "least" else "≤"
        return f"{sign} {self.bound:,.10g} {'×' if self.of == 'ratio' else self.unit}".rstrip()


@dataclass(frozen=True)
class Row:
    """One line of the table.

    `ours` and `peer` are medians, `ratio` the median of ours/peer of each round and `spread` its least
    and most. All are None when it could not be measured; `note` then says why.
    """

    figure: str
    unit: str
    ours: float | None
    peer: float | None
    ratio: float | None
    spread: tuple[float, float] | None
    goal: Goal | None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal or a measurement."""
        return self.goal.met(self.ratio, self.ours) if self.goal else None

    def as_json(self) -> dict[str, Any]:
        """Make the row of results.json."""
        return {
            "figure": self.figure,
            "ours": _rounded(self.ours),
            "peer": _rounded(self.peer),
            "ratio": _rounded(self.ratio),
            "spread": [_rounded(value) for value in self.spread] if self.spread else None,
            "goal": str(self.goal) if self.goal else None,
            "met": self.met,
            "unit": self.unit,
            "note": self.note,
        }


@dataclass(frozen=True)
class Measured:
    """The result of a figure: its rows, and the raw measurements of each round."""

    rows: list[Row]
    raw: list[dict[str, Any]] = field(default_factory=list)


def compare(
    figure: str,
    unit: str,
    ours: Sequence[float],
    peer: Sequence[float],
    goal: Goal | None,
    note: str = "",
) -> Row:
    """Make a row of paired measurements: `ours` and `peer` have the same round at the same index."""
    ratios = [one / other for one, other in zip(ours, peer, strict=True)]
    return Row(
        figure,
        unit,
        statistics.median(ours),
        statistics.median(peer),
        statistics.median(ratios),
        (min(ratios), max(ratios)),
        goal,
        note,
    )


def alone(figure: str, unit: str, ours: Sequence[float], goal: Goal | None, note: str = "") -> Row:
    """Make a row without a peer; its spread is that of our own figure."""
    spread = (min(ours), max(ours))
    return Row(figure, unit, statistics.median(ours), None, None, spread, goal, note)


def missing(figure: str, unit: str, goal: Goal | None, why: str) -> Row:
    """Make a row for a figure that could not be measured here."""
    return Row(figure, unit, None, None, None, None, goal, why)


def _rounded(value: float | None) -> float | None:
    """Round to four significant digits."""
    return None if value is None else float(f"{value:.4g}")
