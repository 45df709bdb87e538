"""The rules of the fixed job, which every engine applies. Later rules of ordering are not part of it.

The peers do not implement a later rule, so the data must not trigger one.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.errors import BenchError
from schemas.reasons import ReasonCode

CODES = frozenset(
    {
        ReasonCode.OTHER_PRACTICE,
        ReasonCode.UNKNOWN_PHARMACY,
        ReasonCode.STATUS_NOT_KNOWN_YET,
        ReasonCode.NOT_IN_OVERVIEW,
        ReasonCode.TEMPORARY_MEDICATION,
        ReasonCode.STOPPED_MEDICATION,
        ReasonCode.COVERED_BY_REPEAT_SERVICE,
        ReasonCode.HIGH_RISK_MEDICATION,
        ReasonCode.REMARK_NEEDS_READING,
        ReasonCode.LARGER_SUPPLY,
        ReasonCode.QUANTITY_ABOVE_LIMIT,
    }
)
"""Every reason that a peer can give. The twelfth rule, `review_everything`, gives no reason."""

CHANGED = frozenset({ReasonCode.UNKNOWN_PHARMACY})
"""Rules of the job that ordering has otherwise by now: a person looks at what the job refuses."""

LATER_FIELDS = frozenset(
    {
        *("unit", "ordered_as", "placed_by", "through"),
        *("reviewer", "signals", "sent_by_practice", "rules"),
    }
)
"""Fields of records that came after the job was fixed: no peer writes them."""

_LATER = frozenset(ReasonCode) - CODES | CHANGED


def switches(*, review_everything: bool) -> dict[str, bool]:
    """The policy of a practice in the job: what a person looks at, by rule."""
    return {
        "review_everything": review_everything,
        "review_high_risk": True,
        "review_remarks": True,
        "review_larger_supply": True,
        "review_larger_quantity": True,
    }


@dataclass
class LaterRules:
    """Counts the order lines with a reason that no peer can give, or gives otherwise, by reason code."""

    lines: Counter[str] = field(default_factory=Counter)

    def check(self, decision: Mapping[str, Any]) -> None:
        """Check one decision: the body of its record."""
        for line in decision.get("lines", ()):
            self.lines.update(_LATER & {reason["code"] for reason in line["reasons"]})

    def require_none(self) -> None:
        """Raise BenchError with each such code and its number of lines, if there are any."""
        if self.lines:
            raise BenchError(
                "The data triggers rules that are not part of the benchmark's fixed job: ordering gives"
                f" {_counted(self.lines)}, and no peer can. Change the data (bench/data) so that it does"
                " not trigger them; do not change the peers."
            )


def _counted(lines: Counter[str]) -> str:
    return ", ".join(
        f"{code} on {count:,} line{'' if count == 1 else 's'}"
        for code, count in lines.most_common()
    )
