"""Replaying dead letters: each record goes back to where it came from, and is followed to its end."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import ConsumerRecord

from cli.audit import Signature
from cli.console import UserError
from cli.dead_letters import audit
from cli.dead_letters.box import Box, open_box, records
from cli.dead_letters.follow import Fate, follow
from cli.dead_letters.kafka import REFUSALS, Reader, Writer, reader
from cli.dead_letters.letters import Letter, LetterId, Place, original
from cli.dead_letters.status import REPLAY, Filter, Result, State, overtaking
from schemas.topics import ALL

_NAMED = 5
"""So many letters are named in a refusal; of more, the number is told."""


@dataclass(frozen=True)
class Wish:
    """What to replay: `ids`, or what `wanted` takes of the open letters.

    `force` replays also what was settled, out of its key's order, or behind a newer record; `wait_s`
    is how long (seconds) the service may take to come past what was sent.
    """

    service: str
    ids: Sequence[LetterId]
    wanted: Filter
    signed: Signature
    force: bool = False
    wait_s: float = 20.0


@dataclass
class Sent:
    """What was sent and where it landed, and what Kafka did not take, with why."""

    landed: dict[LetterId, Place] = field(default_factory=dict)
    refused: dict[LetterId, str] = field(default_factory=dict)


async def replay(kafka: str, wish: Wish, tell: Callable[[str], None]) -> list[Fate]:
    """Replay and follow; what became of each letter. `tell` gets the audit lines and what goes on.

    Raises:
        UserError: the letters may not be replayed so; nothing was sent.
        KafkaError, OSError, TimeoutError: Kafka is away; the audit says what was asked for.
    """
    async with reader(kafka) as source, Writer.open(kafka) as writer:
        box = await open_box(source, wish.service)
        chosen = choose(box, wish)
        if not wish.force:
            await _require_not_outdated(source, chosen)
        letters = await records(source, box, {letter.id for letter in chosen})
        await _keep(writer, wish, {letter.id: Result.ASKED for letter in chosen}, {}, tell)
        sent = await _send(writer, box, chosen, letters)
        tell(f"{len(sent.landed)} sent; waiting up to {wish.wait_s:g} s for {wish.service} …")
        fates = await follow(source, box, sent.landed, wish.wait_s)
        fates += [Fate(id, Result.NOT_SENT, why=why) for id, why in sent.refused.items()]
        results = {fate.id: fate.result for fate in fates}
        await _keep(writer, wish, results, sent.landed, tell)
    return sorted(fates, key=lambda fate: fate.id)


def choose(box: Box, wish: Wish) -> list[Letter]:
    """The letters to replay, in the order in which they died.

    Raises:
        UserError: one is settled already, or would overtake an open letter of its key.
    """
    named = [box.letter(id) for id in sorted(set(wish.ids))]
    chosen = named or box.open(wish.wanted)
    if not wish.force:
        _require_unsettled(box, chosen)
        _require_order(box, chosen)
    return chosen


def _require_unsettled(box: Box, chosen: Iterable[Letter]) -> None:
    for letter in chosen:
        standing = box.standing[letter.id]
        if standing.state not in (State.OPEN, State.REPLAYED):
            other = f" (see {standing.other})" if standing.other else ""
            raise UserError(
                f"{letter.id} is settled already: {standing.state}{other};"
                " to replay it all the same, say --force."
            )


def _require_order(box: Box, chosen: Sequence[Letter]) -> None:
    found = list(overtaking(chosen, box.letters.values(), box.standing))
    if found:
        pairs = [f"{letter.id} would overtake {left.id}" for letter, left in found]
        raise UserError(
            f"{_some(pairs)}: an earlier open letter of the same key. Replay or drop that one as well,"
            " or say --force."
        )


async def _require_not_outdated(source: Reader, chosen: Iterable[Letter]) -> None:
    """On a compacted topic the newest record of a key is its state: an older one must not become that."""
    compacted = {topic.name for topic in ALL if topic.compacted}
    by_topic: dict[str, list[Letter]] = {}
    for letter in chosen:
        if letter.origin.topic in compacted and letter.key is not None:
            by_topic.setdefault(letter.origin.topic, []).append(letter)
    for topic, letters in by_topic.items():
        newest = await _newest(source, topic, letters)
        outdated = [str(x.id) for x in letters if newest.get(x.key or b"", -1) > x.origin.offset]
        if outdated:
            raise UserError(
                f"{_some(outdated)}: {topic} has a newer record of the same key, which counts; drop"
                " the letter, or say --force to put the older one after it."
            )


async def _newest(source: Reader, topic: str, letters: Iterable[Letter]) -> dict[bytes, int]:
    """The last offset of each key behind the first of these letters' records."""
    start: dict[int, int] = {}
    for letter in letters:
        after, partition = letter.origin.offset + 1, letter.origin.partition
        start[partition] = min(after, start.get(partition, after))
    ends = await source.ends(topic)
    return {r.key: r.offset async for r in source.read(topic, ends, start) if r.key}


async def _send(
    writer: Writer,
    box: Box,
    chosen: Iterable[Letter],
    letters: Mapping[LetterId, ConsumerRecord],
) -> Sent:
    """Partitions of the dead letters side by side, as one key's letters are all in one."""
    sent = Sent()
    chains: dict[int, list[Letter]] = {}
    for letter in chosen:
        chains.setdefault(letter.id.partition, []).append(letter)
    await asyncio.gather(
        *(_send_chain(writer, box.topic, chain, letters, sent) for chain in chains.values())
    )
    return sent


async def _send_chain(
    writer: Writer,
    topic: str,
    chain: Iterable[Letter],
    letters: Mapping[LetterId, ConsumerRecord],
    sent: Sent,
) -> None:
    refused: dict[bytes, LetterId] = {}
    for letter in chain:
        if letter.key in refused:
            sent.refused[letter.id] = f"it comes after {refused[letter.key]}, which was not sent"
            continue
        try:
            record = original(letters[letter.id], topic)
            sent.landed[letter.id] = await writer.send(record, letter.origin.partition)
        except REFUSALS as error:
            sent.refused[letter.id] = f"Kafka refuses it: {type(error).__name__}"
            if letter.key is not None:
                refused[letter.key] = letter.id


async def _keep(
    writer: Writer,
    wish: Wish,
    results: Mapping[LetterId, Result],
    landed: Mapping[LetterId, Place],
    tell: Callable[[str], None],
) -> None:
    actions = [
        audit.action(REPLAY, wish.service, id, wish.signed, result, landed.get(id))
        for id, result in sorted(results.items())
    ]
    for line in await audit.keep(writer, actions):
        tell(line)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
