"""Fakes of the loop's publisher, back-off and handler."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from runtime.errors import Outdated
from runtime.loop.handler import Done, Rejected
from runtime.messages.message import Message, Outgoing, Timer
from runtime.messages.positions import Acknowledged
from runtime.postgres.statements import Writes
from schemas.records.orders import OrderPlace


class Wire:
    """A publisher that keeps records, and raises the errors in `fails`."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []
        self.fails: list[Exception] = []
        self.open = asyncio.Event()
        self.open.set()

    async def publish(self, records: Sequence[Outgoing]) -> list[Acknowledged]:
        await self.open.wait()
        if self.fails:
            raise self.fails.pop(0)
        self.published.extend(records)
        return []

    def values(self, topic: str) -> list[str]:
        """The values published to `topic`, as text."""
        return [(r.value or b"").decode() for r in self.published if r.topic == topic]


class NoWait:
    """A back-off that only yields to other tasks."""

    async def wait(self) -> None:
        await asyncio.sleep(0)


@dataclass
class Noted:
    """The unit of work: the remarks of the batch's orders."""

    remarks: list[str] = field(default_factory=list)


class Remarks:
    """A handler that saves and publishes each order's remark. Some remarks have a special effect."""

    def __init__(self, timer: Timer | None = None) -> None:
        self.handled: list[str] = []
        """The remark of every call of `handle`, in order."""
        self.locked = 0
        """How many loads of a "locked" order fail on a lock."""
        self._timer = timer

    async def load(self, db: Any, messages: Sequence[Message[Any]]) -> Noted:
        remarks = {_remark(message) for message in messages}
        if "unloadable" in remarks:
            raise KeyError("unloadable")
        if "unreachable" in remarks:
            raise OSError("unreachable")
        if "outdated" in remarks:
            raise Outdated
        if "locked" in remarks and self.locked:
            self.locked -= 1
            raise asyncpg.LockNotAvailableError
        return Noted()

    def handle(self, message: Message[Any], work: Noted) -> Done | Rejected:
        remark = _remark(message)
        self.handled.append(remark)
        match remark:
            case "raise":
                raise ValueError("raise for pat_anna0001")
            case "reject":
                return Rejected("not_wanted", "remark")
            case "timer" if self._timer:
                return Done(timers=(self._timer,))
            case "no timer" if self._timer:
                return Done(cancelled=(self._timer.id,))
            case _:
                work.remarks.append(remark)
                return Done((Outgoing("out", message.key.encode(), remark.encode(), []),))

    def save(self, work: Noted, writes: Writes) -> None:
        if "unsavable" in work.remarks:
            raise ValueError("violates a constraint: pat_anna0001")
        if "no file" in work.remarks:
            raise FileNotFoundError("no file")
        writes.execute("saved", "insert into saved select unnest($1::text[])", work.remarks)


def _remark(message: Message[Any]) -> str:
    assert isinstance(message.body, OrderPlace)
    return message.body.remark or ""
