"""The status of a dead letter follows from the letters and the operators' actions."""

from datetime import UTC, datetime, timedelta

from aiokafka import TopicPartition

from cli.dead_letters.letters import Letter, LetterId, Place
from cli.dead_letters.status import (
    DROP,
    REPLAY,
    SHOW,
    Filter,
    LetterStatus,
    Result,
    State,
    is_past,
    letter_statuses,
    overtaking,
)
from schemas.records.operators import OperatorAction

TOPIC = "ordering.dead-letters"
AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LANDED = "orders.requests:0:50"


def a_letter(offset: int, **changes: object) -> Letter:
    fields: dict[str, object] = {
        "id": LetterId(0, offset),
        "key": b"pat_standing1",
        "at": AT,
        "reason": "unknown_order",
        "detail": "",
        "origin": Place("orders.requests", 0, offset),
        "type": None,
        "replayed_from": None,
    }
    return Letter(**(fields | changes))  # type: ignore[arg-type]


def did(offset: int, action: str, result: Result, landed: str | None = None) -> OperatorAction:
    return OperatorAction(
        action=action,
        service="ordering",
        letter=f"0:{offset}",
        by="op-1",
        why="",
        at=AT,
        result=result.value,
        landed=landed,
    )


def became(
    letters: list[Letter], *actions: OperatorAction, committed: int | None = None
) -> dict[int, LetterStatus]:
    offsets = {} if committed is None else {TopicPartition("orders.requests", 0): committed}
    found = letter_statuses(TOPIC, letters, actions, offsets)
    return {id.offset: standing for id, standing in found.items()}


def again(offset: int) -> Letter:
    """Make the dead letter of the replayed record of letter 1."""
    return a_letter(
        offset, origin=Place("orders.requests", 0, 50), replayed_from="ordering.dead-letters:0:1"
    )


def test_a_letter_that_was_only_looked_at_is_open() -> None:
    assert became([a_letter(1)], did(1, SHOW, Result.SHOWN))[1] == LetterStatus(State.OPEN)


def test_a_dropped_letter_is_dropped() -> None:
    assert became([a_letter(1)], did(1, DROP, Result.DROPPED))[1] == LetterStatus(State.DROPPED)


def test_a_replay_that_was_handled_is_handled() -> None:
    done = (did(1, REPLAY, Result.ASKED), did(1, REPLAY, Result.HANDLED, LANDED))
    assert became([a_letter(1)], *done)[1] == LetterStatus(State.HANDLED)


def test_a_replay_that_died_again_names_its_new_letter_which_is_open() -> None:
    found = became([a_letter(1), again(2)], did(1, REPLAY, Result.DIED_AGAIN, LANDED))
    assert found == {1: LetterStatus(State.DIED_AGAIN, LetterId(0, 2)), 2: LetterStatus(State.OPEN)}


def test_a_letter_that_came_after_all_counts_more_than_the_audit() -> None:
    found = became([a_letter(1), again(2)], did(1, REPLAY, Result.HANDLED, LANDED))
    assert found[1] == LetterStatus(State.DIED_AGAIN, LetterId(0, 2))


def test_a_replay_that_was_broken_off_is_recognised_by_the_header_of_its_new_letter() -> None:
    assert became([a_letter(1)], did(1, REPLAY, Result.ASKED))[1] == LetterStatus(State.REPLAYED)
    found = became([a_letter(1), again(2)], did(1, REPLAY, Result.ASKED))
    assert found[1] == LetterStatus(State.DIED_AGAIN, LetterId(0, 2))


def test_a_replay_that_was_not_seen_is_handled_once_the_service_is_past_it() -> None:
    unseen = did(1, REPLAY, Result.NOT_SEEN, LANDED)
    assert became([a_letter(1)], unseen, committed=50)[1] == LetterStatus(State.REPLAYED)
    assert became([a_letter(1)], unseen, committed=51)[1] == LetterStatus(State.HANDLED)


def test_a_replay_that_kafka_refused_leaves_the_letter_open() -> None:
    done = (did(1, REPLAY, Result.ASKED), did(1, REPLAY, Result.NOT_SENT))
    assert became([a_letter(1)], *done)[1] == LetterStatus(State.OPEN)


def test_two_letters_of_one_record_count_once() -> None:
    twice = [a_letter(1), a_letter(2, origin=Place("orders.requests", 0, 1))]
    assert became(twice)[2] == LetterStatus(State.COPY, LetterId(0, 1))


def test_the_last_action_counts() -> None:
    done = (did(1, DROP, Result.DROPPED), did(1, REPLAY, Result.HANDLED, LANDED))
    assert became([a_letter(1)], *done)[1] == LetterStatus(State.HANDLED)


def test_past_means_that_the_record_itself_was_handled() -> None:
    at = TopicPartition("prescriptions.approved.02999001", 3)
    assert not is_past("prescriptions.approved.02999001:3:7", {at: 7})
    assert is_past("prescriptions.approved.02999001:3:7", {at: 8})
    assert not is_past("prescriptions.approved.02999001:3:7", {})
    assert not is_past(None, {at: 8})


def overtaken(chosen: list[int], letters: list[Letter], *actions: OperatorAction) -> list[str]:
    states = letter_statuses(TOPIC, letters, actions, {})
    pairs = overtaking([x for x in letters if x.id.offset in chosen], letters, states)
    return [f"{letter.id} {left.id}" for letter, left in pairs]


def test_a_letter_overtakes_the_first_open_one_of_its_key() -> None:
    letters = [a_letter(1), a_letter(2), a_letter(3)]
    assert overtaken([3], letters) == ["0:3 0:1"]
    assert overtaken([1, 3], letters) == ["0:3 0:2"]
    assert overtaken([1, 2, 3], letters) == []
    assert overtaken([1], letters) == []
    assert overtaken([2], letters, did(1, DROP, Result.DROPPED)) == []


def test_other_keys_and_letters_without_one_are_overtaken_by_nobody() -> None:
    letters = [a_letter(1, key=b"pat_other"), a_letter(2, key=None), a_letter(3, key=None)]
    assert overtaken([3], [*letters, a_letter(4)]) == []
    assert overtaken([4], [*letters, a_letter(4)]) == []


def test_a_filter_takes_from_its_start_and_leaves_its_end() -> None:
    letter, minute = a_letter(1), timedelta(minutes=1)
    assert Filter().matches(letter)
    assert Filter("unknown_order", "orders.requests", AT, AT + minute).matches(letter)
    assert not Filter(until=AT).matches(letter)
    assert not Filter(since=AT + minute).matches(letter)
    assert not Filter(reason="bad_json").matches(letter)
    assert not Filter(topic="orders.events").matches(letter)
