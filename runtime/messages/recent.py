"""The newest events of a topic in memory, by patient, and those who watch them."""

import asyncio
import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from typing import NamedTuple

import msgspec

from runtime.errors import KafkaUnavailable
from runtime.messages.partitioner import partition_of

KEPT = 2000
"""Events that are remembered of each partition."""

MOST_WAITING = 100
"""Events that wait for a reader, besides those that it missed before it came."""

READY_S = 5.0
"""How long a reader waits until the end of the topic has been read for the first time."""

_AHEAD_S, _LOOK_S = 1.0, 0.05

_ID = re.compile(r"([0-9]{1,4})-([0-9]{1,18})")


class LiveEvent(msgspec.Struct, frozen=True):
    """Something happened to what is a patient's: `data` is JSON that says to what, and is equal in a repeat.

    `practice` and `pharmacy` say whose it is beside the patient's, as far as it is known.
    """

    name: str
    data: bytes
    practice: str | None = None
    pharmacy: str | None = None


READY, RESET = LiveEvent("ready", b"{}"), LiveEvent("reset", b"{}")
"""All has been told up to here; something may not have been."""


class Position(NamedTuple):
    """A place in a topic: all of the partition before `offset` has been told. As text: an event's id."""

    partition: int
    offset: int

    @classmethod
    def read(cls, id: str) -> "Position | None":
        """Read an event's id; None if it is none."""
        match = _ID.fullmatch(id)
        return cls(int(match[1]), int(match[2])) if match else None

    def __str__(self) -> str:
        return f"{self.partition}-{self.offset}"


Told = tuple[Position, LiveEvent]


class Watch:
    """What one reader is still to be told. `ended` once no more comes."""

    def __init__(self, missed: Iterable[Told]) -> None:
        self.ended = False
        self._waiting = deque(missed)
        self._most = len(self._waiting) + MOST_WAITING
        self._woken = asyncio.Event()

    def tell(self, position: Position, event: LiveEvent) -> None:
        """Add an event; a reader for whom too many wait is ended."""
        if len(self._waiting) >= self._most:
            self.end()
        else:
            self._waiting.append((position, event))
            self._woken.set()

    def end(self) -> None:
        """Tell nothing more."""
        self.ended = True
        self._woken.set()

    def next(self) -> Told | None:
        """Take the next event; None when there is none yet."""
        return self._waiting.popleft() if self._waiting else None

    async def woken(self, seconds: float) -> bool:
        """Wait for an event or the end; False when neither came in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()
        return self.ended or bool(self._waiting)


class _Ring:
    """The newest events of one partition: all from offset `start` to before `end`."""

    def __init__(self, start: int, kept: int) -> None:
        self.start = self.end = start
        self._kept = kept
        self._events: deque[tuple[int, str, LiveEvent]] = deque()
        self._known: set[LiveEvent] = set()

    def add(self, offset: int, patient: str, event: LiveEvent | None) -> bool:
        """Go on to after `offset`; tell whether the event is new."""
        self.end = offset + 1
        if event is None or event in self._known:
            return False
        self._events.append((offset, patient, event))
        self._known.add(event)
        if len(self._events) > self._kept:
            oldest, _, forgotten = self._events.popleft()
            self._known.discard(forgotten)
            self.start = oldest + 1
        return True

    def since(self, offset: int, patient: str) -> Iterator[tuple[int, LiveEvent]]:
        """This patient's events from `offset` on, oldest first."""
        newer = takewhile(lambda kept: kept[0] >= offset, reversed(self._events))
        found = [(at, event) for at, whose, event in newer if whose == patient]
        return reversed(found)


class Recent:
    """The newest events of all partitions, and who watches them. Filled once it is `wanted`."""

    def __init__(self, kept: int = KEPT, ready_s: float = READY_S) -> None:
        self.wanted = asyncio.Event()
        self._kept = kept
        self._ready_s = ready_s
        self._caught_up = asyncio.Event()
        self._ended = False
        self._rings: dict[int, _Ring] = {}
        self._watches: defaultdict[str, set[Watch]] = defaultdict(set)
        self._owners: Counter[str] = Counter()
        self.watched = 0
        """How many readers there are."""

    def watched_by(self, owner: str) -> int:
        """How many readers this owner has."""
        return self._owners[owner]

    def end_of(self, partition: int) -> int | None:
        """The offset that is to be read next; None before `begin`."""
        ring = self._rings.get(partition)
        return ring.end if ring else None

    def begin(self, partition: int, offset: int) -> None:
        """Begin a partition at this offset, not knowing what was before; readers from before are told so."""
        begun = partition in self._rings
        self._rings[partition] = _Ring(offset, self._kept)
        for patient, watches in self._watches.items() if begun else ():
            if self._partition(patient) == partition:
                for watch in watches:
                    watch.tell(Position(partition, offset), RESET)

    def add(self, partition: int, offset: int, patient: str, event: LiveEvent | None) -> None:
        """Add what a record says, if anything, and tell who watches its patient, unless it is a repeat."""
        fresh = self._rings[partition].add(offset, patient, event)
        if fresh and event is not None:
            for watch in self._watches.get(patient, ()):
                watch.tell(Position(partition, offset + 1), event)

    def catch_up(self) -> None:
        """Note that all partitions are read up to their ends."""
        self._caught_up.set()

    async def ready(self) -> None:
        """Ask to be filled, and wait until that is done. Raises KafkaUnavailable when it takes too long."""
        self.wanted.set()
        try:
            async with asyncio.timeout(self._ready_s):
                await self._caught_up.wait()
        except TimeoutError as error:
            raise KafkaUnavailable from error

    async def reached(self, patient: str, last_id: str) -> None:
        """Wait a little for a position that another process has told and this one has not read yet."""
        last = Position.read(last_id)
        ring = self._rings[self._partition(patient)]
        with suppress(TimeoutError):
            async with asyncio.timeout(_AHEAD_S):
                while last is not None and ring.end < last.offset:
                    await asyncio.sleep(_LOOK_S)

    @contextmanager
    def watch(self, patient: str, owner: str, last_id: str | None = None) -> Iterator[Watch]:
        """Watch a patient's events, from after `last_id` on where there is one."""
        watch = Watch(self._missed(patient, last_id))
        watch.ended = self._ended
        self._watches[patient].add(watch)
        self._count(owner, 1)
        try:
            yield watch
        finally:
            self._count(owner, -1)
            self._watches[patient].discard(watch)
            if not self._watches[patient]:
                del self._watches[patient]

    def end(self) -> None:
        """End all readers, also those that come later."""
        self._ended = True
        for watches in self._watches.values():
            for watch in watches:
                watch.end()

    def _count(self, owner: str, change: int) -> None:
        self.watched += change
        self._owners[owner] += change
        if not self._owners[owner]:
            del self._owners[owner]

    def _partition(self, patient: str) -> int:
        return partition_of(patient.encode(), len(self._rings))

    def _missed(self, patient: str, last_id: str | None) -> list[Told]:
        partition = self._partition(patient)
        ring = self._rings[partition]
        here = Position(partition, ring.end)
        if last_id is None:
            return [(here, READY)]
        last = Position.read(last_id)
        if last is None or last.partition != partition or not ring.start <= last.offset <= ring.end:
            return [(here, RESET)]
        missed = ring.since(last.offset, patient)
        return [*((Position(partition, at + 1), event) for at, event in missed), (here, READY)]
