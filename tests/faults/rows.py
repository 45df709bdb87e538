"""Judge faults with the checker, once the system is at rest; each gives rows of the table of faults."""

from collections.abc import Collection, Mapping
from typing import Protocol

from deploy.local import LocalStack
from runtime.loop.batch import HandlerFailed
from schemas import topics
from tests.faults.table import Row, Table
from verify.at_rest import wait_until_at_rest
from verify.checker import Verdict, check
from verify.gather import take_dump
from verify.history import Operation

REST_S = 60.0


class Operated(Protocol):
    """Clients that record their operations."""

    def operations(self) -> list[Operation]:
        """Every operation, with its outcome as far as the client knows it."""


_WRITES = {
    "ordering": (topics.ORDERS_EVENTS.name, topics.PRESCRIPTIONS_PREFIX, "ordering."),
    "medication": (topics.MEDICATION_STATUS.name, topics.dead_letters("medication").name),
    "notification": (topics.NOTIFICATIONS_EVENTS.name, "notification."),
    "metrics": ("metrics.",),
}
"""Prefixes of the topics that only this service writes."""


class Judge:
    """Judges one fault after another on the same stack."""

    def __init__(self, stack: LocalStack, table: Table) -> None:
        self._stack = stack
        self._table = table
        self._before: Mapping[str, int] = {}

    async def judge(
        self,
        load: Operated,
        fault: str,
        service: str,
        recovery_s: float | None = None,
        lost: Collection[str] = (),
    ) -> Row:
        """Judge a fault once the system is at rest, and add its row to the table.

        Fails when the system does not come to rest, when the checker finds a broken rule, or when a record
        became a dead letter because a handler failed: a fault may only delay records. `lost` are rules that
        cannot hold any more.
        """
        (row,) = await self.judge_each(load, fault, {service: recovery_s}, lost)
        return row

    async def judge_each(
        self,
        load: Operated,
        fault: str,
        recoveries: Mapping[str, float | None],
        lost: Collection[str] = (),
    ) -> list[Row]:
        """Judge a fault that several services had under one load; return a row for each."""
        left = await wait_until_at_rest(self._stack.kafka, self._stack.postgres, REST_S)
        assert not left, f"not at rest after {REST_S} s: {left}"
        operations = load.operations()
        verdict = check(operations, await take_dump(self._stack.kafka, self._stack.postgres))
        rows = [
            Row(
                fault,
                service,
                sent=len(operations),
                acknowledged=sum(op.outcome == "ok" for op in operations),
                lost=len(verdict.by_rule["acknowledged_lost"]),
                decided_twice=len(verdict.by_rule["decided_twice"]),
                raw_duplicates=self._repeated(service, verdict),
                recovery_s=None if recovery_s is None else round(recovery_s, 2),
            )
            for service, recovery_s in recoveries.items()
        ]
        self._before = verdict.counts.raw_duplicates
        for row in rows:
            self._table.add(row)
        broken = [violation for violation in verdict.violations if violation.rule not in lost]
        assert not broken, broken[:10]
        assert not (buried := _buried(verdict)), f"a fault made dead letters: {buried}"
        return rows

    def _repeated(self, service: str, verdict: Verdict) -> int:
        """Raw duplicates that a service (or all of them) has written since the previous judgement."""
        services = _WRITES if service == "all" else (service,)
        written = tuple(name for one in services for name in _WRITES[one])
        return sum(
            count - self._before.get(topic, 0)
            for topic, count in verdict.counts.raw_duplicates.items()
            if topic.startswith(written)
        )


def _buried(verdict: Verdict) -> Mapping[str, int]:
    """Dead letters by service whose reason is a failed handler."""
    letters = verdict.counts.dead_letters
    failed = {service: reasons.get(HandlerFailed.reason, 0) for service, reasons in letters.items()}
    return {service: count for service, count in failed.items() if count}
