"""The status of each dead letter, the rules of a replay, and when a replay is done. Pure."""

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
    """The result of an action, as the audit stores it."""

    ASKED = "asked"
    """Written before a record is sent, so that no record is sent without an audit."""
    HANDLED = "handled"
    DIED_AGAIN = "died_again"
    NOT_SEEN = "not_seen"
    NOT_SENT = "not_sent"
    DROPPED = "dropped"
    SHOWN = "shown"


class State(StrEnum):
    """The state of a dead letter, in the words of `herhaal dlq list`."""

    OPEN = "open"
    REPLAYED = "replayed"
    """Sent again; whether it was handled is unknown."""
    HANDLED = "handled"
    DIED_AGAIN = "died again"
    DROPPED = "dropped"
    COPY = "copy"
    """A second letter of the same record, as after a restart. The first letter counts for both."""


@dataclass(frozen=True, slots=True)
class LetterStatus:
    """A letter's state. `other` is its new dead letter, or the letter that it is a copy of."""

    state: State
    other: LetterId | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters to select. Times are compared with `Letter.at`; `until` is exclusive."""

    reason: str | None = None
    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def empty(self) -> bool:
        return self == Filter()

    def matches(self, letter: Letter) -> bool:
        """Whether a letter is selected."""
        return (
            (self.reason is None or letter.reason == self.reason)
            and (self.topic is None or letter.origin.topic == self.topic)
            and (self.since is None or letter.at >= self.since)
            and (self.until is None or letter.at < self.until)
        )


def letter_statuses(
    topic: str,
    letters: Iterable[Letter],
    actions: Iterable[OperatorAction],
    committed: Mapping[TopicPartition, int],
) -> dict[LetterId, LetterStatus]:
    """Work out the status of each letter of `topic` from the letters and the operators' actions.

    `committed` are the offsets that the service has committed to Kafka.
    """
    ordered = sorted(letters, key=lambda letter: letter.id)
    last = {a.letter: a for a in actions if a.action in (REPLAY, DROP)}
    deaths = _Deaths(ordered)
    return {
        letter.id: _status(topic, letter, last.get(str(letter.id)), deaths, committed)
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


def _status(
    topic: str,
    letter: Letter,
    action: OperatorAction | None,
    deaths: _Deaths,
    committed: Mapping[TopicPartition, int],
) -> LetterStatus:
    first = deaths.of_place[str(letter.origin)]
    if first != letter.id:
        return LetterStatus(State.COPY, first)
    if action is None or action.result == Result.NOT_SENT:
        return LetterStatus(State.OPEN)
    if action.action == DROP:
        return LetterStatus(State.DROPPED)
    if action.landed is None:
        again = deaths.of_letter.get(str(Place(topic, letter.id.partition, letter.id.offset)))
    else:
        again = deaths.of_place.get(action.landed)
    if again is not None:
        return LetterStatus(State.DIED_AGAIN, again)
    handled = action.result == Result.HANDLED or is_past(action.landed, committed)
    return LetterStatus(State.HANDLED if handled else State.REPLAYED)


def is_past(landed: str | None, committed: Mapping[TopicPartition, int]) -> bool:
    """Whether the service has committed an offset past this place (`topic:partition:offset`)."""
    if landed is None:
        return False
    topic, partition, offset = landed.rsplit(":", 2)
    return committed.get(TopicPartition(topic, int(partition)), -1) > int(offset)


def overtaking(
    chosen: Iterable[Letter], letters: Iterable[Letter], statuses: Mapping[LetterId, LetterStatus]
) -> Iterator[tuple[Letter, Letter]]:
    """Pair each chosen letter with the earlier open letter of its key that it would overtake."""
    chosen = sorted(chosen, key=lambda letter: letter.id)
    chosen_ids = {letter.id for letter in chosen}
    first_left: dict[bytes, Letter] = {}
    for letter in sorted(letters, key=lambda letter: letter.id):
        left = statuses[letter.id].state is State.OPEN and letter.id not in chosen_ids
        if left and letter.key is not None:
            first_left.setdefault(letter.key, letter)
    for letter in chosen:
        earlier = first_left.get(letter.key) if letter.key is not None else None
        if earlier is not None and earlier.id < letter.id:
            yield letter, earlier
