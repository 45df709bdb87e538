"""The rows of the result: ours against a peer, as the ratio of each round, with its spread."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Goal:
    """What the ratio (`of="ratio"`) or our own figure (`of="ours"`) should be at least, or at most."""

    bound: float
    at: Literal["least", "most"] = "least"
    of: Literal["ratio", "ours"] = "ratio"
    unit: str = ""

    def met(self, row_ratio: float | None, ours: float | None) -> bool | None:
        """Whether it is reached; None when there is nothing to judge."""
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
    and most. All None where it could not be measured; `note` then says why.
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
        """Whether the goal is reached; None without a goal or a measurement."""
        return self.goal.met(self.ratio, self.ours) if self.goal else None

    def as_json(self) -> dict[str, Any]:
        """The row as results.json has it."""
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
    """What a figure found: its rows, and everything that was measured for them, round by round."""

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
    """A row of paired measurements: `ours` and `peer` of the same round stand at the same place."""
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
    """A row without a peer; its spread is that of our own figure."""
    spread = (min(ours), max(ours))
    return Row(figure, unit, statistics.median(ours), None, None, spread, goal, note)


def missing(figure: str, unit: str, goal: Goal | None, why: str) -> Row:
    """A row that could not be measured here."""
    return Row(figure, unit, None, None, None, None, goal, why)


def _rounded(value: float | None) -> float | None:
    """Four figures that mean something."""
    return None if value is None else float(f"{value:.4g}")
