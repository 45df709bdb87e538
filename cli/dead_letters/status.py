"""What became of each dead letter, which of them may be replayed, and when a replay is done: pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aiokafka import TopicPartition

from cli.dead_letters.letters import Letter, LetterId, Place
from schemas.records.operators import OperatorAction

REPLAY = "dlq.replay"
DROP = "dlq.drop"
SHOW = "dlq.show"


class Result(StrEnum):
    """The word that the audit keeps of how an action ended."""

    ASKED = "asked"
    """Written before anything is sent, so that nothing is ever sent without a trace."""
    HANDLED = "handled"
    DIED_AGAIN = "died_again"
    NOT_SEEN = "not_seen"
    NOT_SENT = "not_sent"
    DROPPED = "dropped"
    SHOWN = "shown"


class State(StrEnum):
    """What became of a dead letter, in the words of `herhaal dlq list`."""

    OPEN = "open"
    REPLAYED = "replayed"
    """Sent again; whether it was handled was not seen."""
    HANDLED = "handled"
    DIED_AGAIN = "died again"
    DROPPED = "dropped"
    COPY = "copy"
    """The same death told twice, as after a restart; the first letter stands for both."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A letter's state; `other` is the letter that it died again as, or is a copy of."""

    state: State
    other: LetterId | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are asked for; times are compared with `Letter.at`, `until` is not included."""

    reason: str | None = None
    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def empty(self) -> bool:
        return self == Filter()

    def takes(self, letter: Letter) -> bool:
        """Whether a letter is asked for."""
        return (
            (self.reason is None or letter.reason == self.reason)
            and (self.topic is None or letter.origin.topic == self.topic)
            and (self.since is None or letter.at >= self.since)
            and (self.until is None or letter.at < self.until)
        )


def standings(
    topic: str,
    letters: Iterable[Letter],
    actions: Iterable[OperatorAction],
    committed: Mapping[TopicPartition, int],
) -> dict[LetterId, Standing]:
    """What became of each letter of `topic`, from the letters themselves and what operators did.

    `committed` is how far the service has told Kafka that it is, by topic and partition.
    """
    ordered = sorted(letters, key=lambda letter: letter.id)
    last = {a.letter: a for a in actions if a.action in (REPLAY, DROP)}
    deaths = _Deaths(ordered)
    return {
        letter.id: _standing(topic, letter, last.get(str(letter.id)), deaths, committed)
        for letter in ordered
    }


class _Deaths:
    def __init__(self, ordered: Sequence[Letter]) -> None:
        self.of_place: dict[str, LetterId] = {}
        self.of_letter: dict[str, LetterId] = {}
        for letter in ordered:
            self.of_place.setdefault(str(letter.origin), letter.id)
            if letter.replayed_from is not None:
                self.of_letter[letter.replayed_from] = letter.id


def _standing(
    topic: str,
    letter: Letter,
    action: OperatorAction | None,
    deaths: _Deaths,
    committed: Mapping[TopicPartition, int],
) -> Standing:
    first = deaths.of_place[str(letter.origin)]
    if first != letter.id:
        return Standing(State.COPY, first)
    if action is None or action.result == Result.NOT_SENT:
        return Standing(State.OPEN)
    if action.action == DROP:
        return Standing(State.DROPPED)
    if action.landed is None:
        again = deaths.of_letter.get(str(Place(topic, letter.id.partition, letter.id.offset)))
    else:
        again = deaths.of_place.get(action.landed)
    if again is not None:
        return Standing(State.DIED_AGAIN, again)
    handled = action.result == Result.HANDLED or is_past(action.landed, committed)
    return Standing(State.HANDLED if handled else State.REPLAYED)


def is_past(landed: str | None, committed: Mapping[TopicPartition, int]) -> bool:
    """Whether the service has told Kafka that it is past this place (`topic:partition:offset`)."""
    if landed is None:
        return False
    topic, partition, offset = landed.rsplit(":", 2)
    return committed.get(TopicPartition(topic, int(partition)), -1) > int(offset)


def overtaking(
    chosen: Iterable[Letter], letters: Iterable[Letter], states: Mapping[LetterId, Standing]
) -> Iterator[tuple[Letter, Letter]]:
    """Each chosen letter with the earlier open one of its key that it would be handled before."""
    chosen = sorted(chosen, key=lambda letter: letter.id)
    taken = {letter.id for letter in chosen}
    first_left: dict[bytes, Letter] = {}
    for letter in sorted(letters, key=lambda letter: letter.id):
        left = states[letter.id].state is State.OPEN and letter.id not in taken
        if left and letter.key is not None:
            first_left.setdefault(letter.key, letter)
    for letter in chosen:
        left_out = first_left.get(letter.key) if letter.key is not None else None
        if left_out is not None and left_out.id < letter.id:
            yield letter, left_out
