"""A service's dead letters as they are now, each with its status."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aiokafka import ConsumerRecord

from cli.console import UserError
from cli.dead_letters import audit
from cli.dead_letters.kafka import Reader
from cli.dead_letters.letters import Letter, LetterId, read_letter
from cli.dead_letters.status import Filter, LetterStatus, State, letter_statuses
from cli.services import require_service
from schemas.topics import dead_letters


@dataclass(frozen=True)
class Box:
    """The content of a service's dead-letter topic.

    `invalid` are records on it that are not dead letters, `unreadable` counts audit records that cannot
    be parsed. `ends` is the end offset of each partition when the topic was read.
    """

    service: str
    letters: Mapping[LetterId, Letter]
    statuses: Mapping[LetterId, LetterStatus]
    invalid: tuple[LetterId, ...]
    unreadable: int
    ends: Mapping[int, int]

    @property
    def topic(self) -> str:
        return topic_of(self.service)

    def letter(self, id: LetterId) -> Letter:
        """Get a letter. Raises UserError when it does not exist."""
        if id in self.invalid:
            raise UserError(f"{self.topic} {id} is no dead letter: it lacks the dl_ headers.")
        if id not in self.letters:
            raise UserError(f"There is no dead letter {id} of {self.service}; see `dlq list`.")
        return self.letters[id]

    def matching(self, wanted: Filter) -> list[Letter]:
        """List the letters that match a filter, by id."""
        return [letter for _, letter in sorted(self.letters.items()) if wanted.matches(letter)]

    def open(self, wanted: Filter) -> list[Letter]:
        """List the open letters that match a filter, by id."""
        matching = self.matching(wanted)
        return [letter for letter in matching if self.statuses[letter.id].state is State.OPEN]


def topic_of(service: str) -> str:
    """Name the dead-letter topic of a service. Raises UserError when the service does not exist."""
    require_service(service)
    return dead_letters(service).name


async def open_box(reader: Reader, service: str) -> Box:
    """Read the whole topic and the audit.

    Raises:
        UserError: the service, its dead-letter topic or the audit topic does not exist.
        KafkaError, OSError, TimeoutError: Kafka is unavailable or refuses.
    """
    topic = topic_of(service)
    actions, unreadable = await audit.history(reader, service)
    ends = await reader.ends(topic)
    letters: dict[LetterId, Letter] = {}
    invalid: list[LetterId] = []
    async for record in reader.read(topic, ends):
        letter = read_letter(record)
        if letter is None:
            invalid.append(LetterId(record.partition, record.offset))
        else:
            letters[letter.id] = letter
    status = letter_statuses(topic, letters.values(), actions, await reader.committed(service))
    return Box(service, letters, status, tuple(invalid), unreadable, ends)


async def records(
    reader: Reader, box: Box, wanted: Collection[LetterId]
) -> dict[LetterId, ConsumerRecord]:
    """Read the records of these letters, with their content.

    Raises:
        UserError: a letter has expired meanwhile.
    """
    start: dict[int, int] = {}
    for id in wanted:
        start[id.partition] = min(id.offset, start.get(id.partition, id.offset))
    by_id: dict[LetterId, ConsumerRecord] = {}
    async for record in reader.read(box.topic, box.ends, start):
        id = LetterId(record.partition, record.offset)
        if id in wanted:
            by_id[id] = record
    for id in wanted:
        if id not in by_id:
            raise UserError(f"The dead letter {id} has just been removed: its retention is over.")
    return by_id
