"""Replays dead letters: sends each record again to its original topic, and follows it to its result."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import ConsumerRecord

from cli.audit import Signature
from cli.console import EXIT_NOT_ALL, UserError
from cli.dead_letters import audit
from cli.dead_letters.box import Box, open_box, records
from cli.dead_letters.follow import LetterResult, follow
from cli.dead_letters.kafka import REFUSALS, Reader, Writer, reader
from cli.dead_letters.letters import Letter, LetterId, Place, original
from cli.dead_letters.status import REPLAY, Filter, Result, State, overtaking
from cli.kafka import UNAVAILABLE
from schemas.topics import ALL

_NAMED = 5
"""The most letters that an error names; of the others it gives the number."""


class NotFollowed(UserError):
    """Records may have been sent, and it is not known what became of them."""

    exit_code = EXIT_NOT_ALL


@dataclass(frozen=True)
class ReplayRequest:
    """What to replay: `ids`, or the open letters that match `wanted`.

    `force` also replays letters that are settled, out of key order, or older than a compacted topic's newest
    record. `wait_s` is how long (seconds) to wait until the service has handled the records.
    """

    service: str
    ids: Sequence[LetterId]
    wanted: Filter
    signed: Signature
    force: bool = False
    wait_s: float = 20.0


@dataclass
class Sent:
    """The place of each record that was sent, and the reason of each that was not."""

    landed: dict[LetterId, Place] = field(default_factory=dict)
    refused: dict[LetterId, str] = field(default_factory=dict)


async def replay(
    kafka: str, request: ReplayRequest, log: Callable[[str], None]
) -> list[LetterResult]:
    """Replay letters and follow them. Return the result of each; `log` gets audit lines and progress.

    Raises:
        UserError: there is nothing to replay, or the replay is not allowed; nothing was sent.
        NotFollowed: Kafka became unavailable when letters may have been sent.
        KafkaError, OSError, TimeoutError: Kafka is unavailable; nothing was sent.
    """
    async with reader(kafka) as source, Writer.open(kafka) as writer:
        box = await open_box(source, request.service)
        chosen = choose(box, request)
        if not request.force:
            await _require_not_outdated(source, chosen)
        found = await records(source, box, {letter.id for letter in chosen})
        await _audit(writer, request, {letter.id: Result.ASKED for letter in chosen}, {}, log)
        try:
            return await resend(source, writer, box, found, request, log)
        except UNAVAILABLE as error:
            raise NotFollowed(
                f"Kafka became unavailable ({type(error).__name__}) when {_some([*map(str, found)])}"
                f" may have been sent: `herhaal dlq list {request.service}` shows what became of them."
            ) from error


async def resend(
    source: Reader,
    writer: Writer,
    box: Box,
    found: Mapping[LetterId, ConsumerRecord],
    request: ReplayRequest,
    log: Callable[[str], None],
) -> list[LetterResult]:
    """Send these letters' records again, follow them, and audit the results.

    Raises KafkaError, OSError or TimeoutError when Kafka becomes unavailable.
    """
    sent = await _send(writer, box, [box.letter(id) for id in sorted(found)], found)
    log(f"{len(sent.landed)} sent; waiting up to {request.wait_s:g} s for {request.service} …")
    results = await follow(source, box, sent.landed, request.wait_s)
    results += [LetterResult(id, Result.NOT_SENT, why=why) for id, why in sent.refused.items()]
    by_id = {result.id: result.result for result in results}
    await _audit(writer, request, by_id, sent.landed, log)
    return sorted(results, key=lambda result: result.id)


def choose(box: Box, request: ReplayRequest) -> list[Letter]:
    """Choose the letters to replay, by id.

    Raises:
        UserError: there is none, one is settled already, or would overtake an open letter of its key.
    """
    named = [box.letter(id) for id in sorted(set(request.ids))]
    chosen = named or box.open(request.wanted)
    if not chosen:
        raise UserError("There is nothing to replay: no open letter is as you say.")
    if not request.force:
        _require_unsettled(box, chosen)
        _require_order(box, chosen)
    return chosen


def _require_unsettled(box: Box, chosen: Iterable[Letter]) -> None:
    for letter in chosen:
        status = box.statuses[letter.id]
        if status.state not in (State.OPEN, State.REPLAYED):
            other = f" (see {status.other})" if status.other else ""
            raise UserError(
                f"{letter.id} is settled already: {status.state}{other};"
                " to replay it all the same, use --force."
            )


def _require_order(box: Box, chosen: Sequence[Letter]) -> None:
    pairs = list(overtaking(chosen, box.letters.values(), box.statuses))
    if pairs:
        names = [f"{letter.id} would overtake {earlier.id}" for letter, earlier in pairs]
        raise UserError(
            f"{_some(names)}: an earlier open letter of the same key. Replay or drop that one as well,"
            " or use --force."
        )


async def _require_not_outdated(source: Reader, chosen: Iterable[Letter]) -> None:
    """Refuse to put an older record after the newest one of its key on a compacted topic."""
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
                " the letter, or use --force to put the older one after it."
            )


async def _newest(source: Reader, topic: str, letters: Iterable[Letter]) -> dict[bytes, int]:
    """Read the last offset of each key after the first of these letters' original records."""
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
    """Send each partition's letters in order, partitions concurrently: a key is in one partition."""
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


async def _audit(
    writer: Writer,
    request: ReplayRequest,
    results: Mapping[LetterId, Result],
    landed: Mapping[LetterId, Place],
    log: Callable[[str], None],
) -> None:
    actions = [
        audit.action(REPLAY, request.service, id, request.signed, result, landed.get(id))
        for id, result in sorted(results.items())
    ]
    for line in await audit.keep(writer, actions):
        log(line)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
