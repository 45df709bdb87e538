"""A service's dead letters as they are now, each with what became of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aiokafka import ConsumerRecord

from cli.console import UserError
from cli.dead_letters import audit
from cli.dead_letters.kafka import Reader
from cli.dead_letters.letters import Letter, LetterId, read_letter
from cli.dead_letters.status import Filter, Standing, State, standings
from schemas.topics import SERVICES, dead_letters


@dataclass(frozen=True)
class Box:
    """What lies on a service's dead-letter topic.

    `strange` are records on it that are no dead letters, `unreadable` counts those of the audit that
    cannot be read; `ends` is up to where the topic was read, by partition.
    """

    service: str
    letters: Mapping[LetterId, Letter]
    standing: Mapping[LetterId, Standing]
    strange: tuple[LetterId, ...]
    unreadable: int
    ends: Mapping[int, int]

    @property
    def topic(self) -> str:
        return topic_of(self.service)

    def letter(self, id: LetterId) -> Letter:
        """Raises UserError when there is no such letter."""
        if id in self.strange:
            raise UserError(f"{self.topic} {id} is no dead letter: it lacks the dl_ headers.")
        if id not in self.letters:
            raise UserError(f"There is no dead letter {id} of {self.service}; see `dlq list`.")
        return self.letters[id]

    def matching(self, wanted: Filter) -> list[Letter]:
        """The letters that a filter takes, in the order of their ids."""
        return [letter for _, letter in sorted(self.letters.items()) if wanted.takes(letter)]

    def open(self, wanted: Filter) -> list[Letter]:
        """Those of them that nobody has done anything about."""
        found = self.matching(wanted)
        return [letter for letter in found if self.standing[letter.id].state is State.OPEN]


def topic_of(service: str) -> str:
    """The topic of a service's dead letters. Raises UserError for a name that is no service."""
    if service not in SERVICES:
        raise UserError(f"There is no service {service}; there are {', '.join(SERVICES)}.")
    return dead_letters(service).name


async def open_box(reader: Reader, service: str) -> Box:
    """Reads the whole topic and the audit.

    Raises:
        UserError: there is no such service, or its topic or the audit's is not there.
        KafkaError, OSError, TimeoutError: Kafka is away or refuses.
    """
    topic = topic_of(service)
    actions, unreadable = await audit.history(reader, service)
    ends = await reader.ends(topic)
    letters: dict[LetterId, Letter] = {}
    strange: list[LetterId] = []
    async for record in reader.read(topic, ends):
        letter = read_letter(record)
        if letter is None:
            strange.append(LetterId(record.partition, record.offset))
        else:
            letters[letter.id] = letter
    standing = standings(topic, letters.values(), actions, await reader.committed(service))
    return Box(service, letters, standing, tuple(strange), unreadable, ends)


async def records(
    reader: Reader, box: Box, wanted: Collection[LetterId]
) -> dict[LetterId, ConsumerRecord]:
    """The records of these letters, with their content.

    Raises:
        UserError: one has gone meanwhile, as its retention was over.
    """
    start: dict[int, int] = {}
    for id in wanted:
        start[id.partition] = min(id.offset, start.get(id.partition, id.offset))
    found: dict[LetterId, ConsumerRecord] = {}
    async for record in reader.read(box.topic, box.ends, start):
        id = LetterId(record.partition, record.offset)
        if id in wanted:
            found[id] = record
    for id in wanted:
        if id not in found:
            raise UserError(f"The dead letter {id} has just been removed: its retention is over.")
    return found
