"""The table of faults: one row for each fault and service, judged by the checker."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from cli.verify.checker import check
from cli.verify.gather import take_dump
from cli.verify.rest import wait_until_at_rest
from deploy.local import LocalStack
from tests.faults.load import Load

REST_S = 60.0


@dataclass(frozen=True)
class Row:
    """One fault: what clients sent, what became of it, how long until the next decision (seconds)."""

    fault: str
    service: str
    sent: int
    acknowledged: int
    lost: int
    decided_twice: int
    raw_duplicates: int
    recovery_s: float | None

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing decided twice."""
        return self.lost == 0 and self.decided_twice == 0


class Table:
    """The rows of a run, written after each so that a run that dies leaves what it found."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.rows: list[Row] = []

    def add(self, row: Row) -> None:
        """One more."""
        self.rows.append(row)
        if self._path is not None:
            self._path.write_text(json.dumps([asdict(row) for row in self.rows], indent=2))


class Judge:
    """Judges one fault after another on the same stack."""

    def __init__(self, stack: LocalStack, table: Table) -> None:
        self._stack = stack
        self._table = table
        self._repeated = 0

    async def judge(
        self, load: Load, fault: str, service: str, recovery_s: float | None = None
    ) -> Row:
        """Note the row of a fault, once the system is at rest.

        Fails when it does not come to rest, or when the checker finds any rule broken.
        """
        left = await wait_until_at_rest(self._stack.kafka, self._stack.postgres, REST_S)
        assert not left, f"not at rest after {REST_S} s: {left}"
        operations = load.operations()
        verdict = check(operations, await take_dump(self._stack.kafka, self._stack.postgres))
        repeated = sum(verdict.counts.raw_duplicates.values())
        row = Row(
            fault,
            service,
            sent=len(operations),
            acknowledged=sum(op.outcome == "ok" for op in operations),
            lost=len(verdict.by_rule["acknowledged_lost"]),
            decided_twice=len(verdict.by_rule["decided_twice"]),
            raw_duplicates=repeated - self._repeated,
            recovery_s=None if recovery_s is None else round(recovery_s, 2),
        )
        self._repeated = repeated
        self._table.add(row)
        assert not verdict.violations, verdict.violations[:10]
        return row
