"""The rules of the fixed job: those that every engine applies, whatever ordering has learned since.

A later rule need not be written again for the peers, as long as the data gives it nothing to say.
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
"""Every reason that a peer can give. The twelfth rule, that a practice reviews everything, gives none."""

_LATER = frozenset(ReasonCode) - CODES


@dataclass
class LaterRules:
    """Counts the order lines on which ordering gives a reason that no peer can give, by reason code."""

    lines: Counter[str] = field(default_factory=Counter)

    def look(self, decision: Mapping[str, Any]) -> None:
        """Look at one decision, as its record's JSON."""
        for line in decision.get("lines", ()):
            self.lines.update(_LATER & {reason["code"] for reason in line["reasons"]})

    def require_none(self) -> None:
        """Raises BenchError that names each such code and its number of lines."""
        if self.lines:
            raise BenchError(
                "The data trips rules that are not part of the benchmark's fixed job: ordering gives"
                f" {_counted(self.lines)}, and no peer can. Change the data (bench/data) so that these"
                " rules have nothing to say in it; leave the peers as they are."
            )


def _counted(lines: Counter[str]) -> str:
    return ", ".join(
        f"{code} on {count:,} line{'' if count == 1 else 's'}"
        for code, count in lines.most_common()
    )
