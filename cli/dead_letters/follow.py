"""Following replayed records: the service comes past them, and either keeps silent or buries them again.

The service tells Kafka once a second how far it is. It may do so a moment before its new dead letter is
on Kafka, so a record counts as handled only when nothing was heard for SETTLE_S after that.
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
_LOOK_EVERY_S = 0.25


@dataclass(frozen=True)
class Fate:
    """What became of a replayed letter; `again` is the letter it died as, `why` what Kafka said."""

    id: LetterId
    result: Result
    landed: Place | None = None
    again: Letter | None = None
    why: str = ""


async def follow(
    reader: Reader, box: Box, landed: Mapping[LetterId, Place], wait_s: float
) -> list[Fate]:
    """What became of these. A record that the service has not come past after `wait_s` is NOT_SEEN."""
    watch = _Watch(reader, box, landed)
    deadline = time.monotonic() + wait_s
    while await watch.look(time.monotonic(), deadline):
        await asyncio.sleep(_LOOK_EVERY_S)
    return watch.fates()


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
        self._past_since: dict[LetterId, float] = {}

    async def look(self, now_s: float, deadline_s: float) -> bool:
        """Look once; whether to look again."""
        offsets = await self._reader.committed(self._box.service)
        for id, place in self._landed.items():
            if id not in self._past_since and is_past(str(place), offsets):
                self._past_since[id] = now_s
        await self._read_deaths()
        return any(self._is_waited_for(id, now_s, deadline_s) for id in self._landed)

    def fates(self) -> list[Fate]:
        """What is known now."""
        return [self._fate(id, place) for id, place in self._landed.items()]

    def _fate(self, id: LetterId, place: Place) -> Fate:
        again = self._again.get(place)
        if again is not None:
            return Fate(id, Result.DIED_AGAIN, place, again)
        passed = id in self._past_since
        return Fate(id, Result.HANDLED if passed else Result.NOT_SEEN, place)

    def _is_waited_for(self, id: LetterId, now_s: float, deadline_s: float) -> bool:
        if self._landed[id] in self._again:
            return False
        since = self._past_since.get(id)
        return now_s < deadline_s if since is None else now_s < since + SETTLE_S

    async def _read_deaths(self) -> None:
        """The letters that have come since."""
        ends = await self._reader.ends(self._box.topic)
        grown = {p: start for p, start in self._read_to.items() if ends[p] > start}
        async for record in self._reader.read(self._box.topic, ends, grown):
            letter = read_letter(record)
            if letter is not None:
                self._again[letter.origin] = letter
        self._read_to = ends
