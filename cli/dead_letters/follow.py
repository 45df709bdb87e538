"""Follows replayed records until the service has handled them, or has made dead letters of them again.

The service commits its offsets to Kafka once a second, possibly a moment before its new dead letter is
acknowledged. A record therefore counts as handled when no dead letter of it came within SETTLE_S after
the commit.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from cli.dead_letters.box import Box
from cli.dead_letters.kafka import Reader
from cli.dead_letters.letters import Letter, LetterId, Place, read_letter
from cli.dead_letters.status import Result, is_past

SETTLE_S = 2.0
_POLL_S = 0.25


@dataclass(frozen=True)
class LetterResult:
    """The result of replaying a letter: `again` is its new dead letter, `why` the error of Kafka."""

    id: LetterId
    result: Result
    landed: Place | None = None
    again: Letter | None = None
    why: str = ""


async def follow(
    reader: Reader, box: Box, landed: Mapping[LetterId, Place], wait_s: float
) -> list[LetterResult]:
    """Wait for the result of each record. Without a commit past it within `wait_s`, it is NOT_SEEN."""
    watch = _Watch(reader, box, landed)
    deadline = time.monotonic() + wait_s
    while await watch.poll(time.monotonic(), deadline):
        await asyncio.sleep(_POLL_S)
    return watch.results()


class _Watch:
    def __init__(
        self,
        reader: Reader,
        box: Box,
        landed: Mapping[LetterId, Place],
    ) -> None:
        self._reader = reader
        self._box = box
        self._landed = landed
        self._read_to = dict(box.ends)
        self._again: dict[Place, Letter] = {}
        self._committed_at_s: dict[LetterId, float] = {}

    async def poll(self, now_s: float, deadline_s: float) -> bool:
        """Read offsets and new dead letters once. Return whether to poll again."""
        offsets = await self._reader.committed(self._box.service)
        for id, place in self._landed.items():
            if id not in self._committed_at_s and is_past(str(place), offsets):
                self._committed_at_s[id] = now_s
        await self._read_new_letters()
        return any(self._is_pending(id, now_s, deadline_s) for id in self._landed)

    def results(self) -> list[LetterResult]:
        """List the result of each letter so far."""
        return [self._result(id, place) for id, place in self._landed.items()]

    def _result(self, id: LetterId, place: Place) -> LetterResult:
        again = self._again.get(place)
        if again is not None:
            return LetterResult(id, Result.DIED_AGAIN, place, again)
        committed = id in self._committed_at_s
        return LetterResult(id, Result.HANDLED if committed else Result.NOT_SEEN, place)

    def _is_pending(self, id: LetterId, now_s: float, deadline_s: float) -> bool:
        if self._landed[id] in self._again:
            return False
        since = self._committed_at_s.get(id)
        return now_s < deadline_s if since is None else now_s < since + SETTLE_S

    async def _read_new_letters(self) -> None:
        ends = await self._reader.ends(self._box.topic)
        grown = {p: start for p, start in self._read_to.items() if ends[p] > start}
        async for record in self._reader.read(self._box.topic, ends, grown):
            letter = read_letter(record)
            if letter is not None:
                self._again[letter.origin] = letter
        self._read_to = ends
