"""Dead letters are read from Kafka, and their original records restored."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import typer

from cli.console import UserError
from cli.dead_letters import times
from cli.dead_letters.filters import read_filter, read_selection
from cli.dead_letters.letters import LetterId, Place, original, own_headers, read_letter
from cli.dead_letters.status import Filter
from cli.dead_letters.tables import record_lines, type_of
from runtime.messages.dead_letters import dead_letter
from runtime.messages.message import Headers, append_time
from runtime.messages.parser import Unreadable
from schemas.records.orders import OrderPlace
from schemas.topics import ORDERS_REQUESTS, dead_letters
from tests.harness.made import an_order
from tests.harness.records import APPENDED_MS, Delivered, delivered

TOPIC = dead_letters("ordering").name
ORDER = an_order("pat_letters01")


def a_record(**changes: object) -> Delivered:
    return delivered(ORDERS_REQUESTS, ORDER, **changes)


def letter_of(record: Delivered, reason: str = "bad_json") -> Delivered:
    """Make the dead letter of a record, as read from Kafka."""
    out = dead_letter("ordering", record, Unreadable(reason, "why"))
    return Delivered(TOPIC, out.key, out.value, out.headers, partition=3, offset=17)


def test_a_letter_holds_where_its_record_was_and_why_it_died() -> None:
    record = a_record()
    letter = read_letter(letter_of(record))
    assert letter is not None
    assert str(letter.id) == "3:17"
    assert letter.origin == Place("orders.requests", record.partition, record.offset)
    assert (letter.reason, letter.detail) == ("bad_json", "why")
    assert letter.at == append_time(APPENDED_MS)
    assert letter.key == b"pat_letters01"
    assert letter.replayed_from is None
    assert type_of(letter) == "order.place.v1"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"value": None},
        {"key": None},
        {"key": b"\xff"},
        {"key": None, "value": None},
        {"value": b""},
        {"headers": []},
        {"headers": [("a", None), ("b", b"\xff"), ("", b"x"), ("\\xff", b"1"), ("a", b"again")]},
    ],
    ids=str,
)
def test_what_is_sent_again_is_the_record_as_it_was_and_where_it_comes_from(
    changes: dict[str, object],
) -> None:
    record = a_record(**changes)
    again = original(letter_of(record), TOPIC)
    assert (again.topic, again.key, again.value) == (record.topic, record.key, record.value)
    assert again.headers == [*record.headers, ("replayed_from", f"{TOPIC}:3:17".encode())]


def test_a_record_that_died_twice_names_the_last_letter_only_and_the_last_reason() -> None:
    first = original(letter_of(a_record(), "bad_json"), TOPIC)
    second = letter_of(a_record(headers=first.headers), "wrong_schema")
    letter = read_letter(second)
    assert letter is not None
    assert (letter.reason, letter.replayed_from) == ("wrong_schema", f"{TOPIC}:3:17")
    again = original(replace(second, offset=18), TOPIC)
    assert [v for n, v in again.headers if n == "replayed_from"] == [f"{TOPIC}:3:18".encode()]


def test_headers_of_a_letter_that_was_sent_again_by_hand_do_not_pile_up() -> None:
    by_hand = a_record(headers=letter_of(a_record(), "bad_json").headers)
    letter = letter_of(by_hand, "wrong_schema")
    read = read_letter(letter)
    assert read is not None
    assert read.reason == "wrong_schema"
    assert not [n for n, _ in original(letter, TOPIC).headers if n.startswith("dl_")]


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("dl_reason", b"bad_json")],
        [("dl_at", b"yesterday")],
        [("dl_at", b"2026-11-23T10:00:00")],
        [("dl_partition", b"x")],
        [("dl_offset", None)],
    ],
    ids=str,
)
def test_a_record_that_is_no_dead_letter_is_none(headers: Headers) -> None:
    whole = dict(letter_of(a_record()).headers)
    kept = [] if len(headers) == 0 or headers[0][0] == "dl_reason" else whole.items()
    spoilt = [(n, v) for n, v in kept if n not in dict(headers)]
    assert read_letter(replace(letter_of(a_record()), headers=[*spoilt, *headers])) is None


def test_a_type_that_is_none_of_ours_is_not_repeated() -> None:
    letter = read_letter(letter_of(a_record(headers=[("ce_type", b"Jansen, 1-1-1950")])))
    assert letter is not None
    assert type_of(letter) == "(unknown)"


def shown(letter: Delivered, *, body: bool) -> str:
    return "\n".join(record_lines(letter, body=body))


def test_content_and_unknown_headers_are_shown_only_on_request() -> None:
    headers = [("ce_type", OrderPlace.ce_type().encode()), ("x-name", b"Jansen")]
    letter = letter_of(a_record(headers=headers, key=b"Jansen", value=b"Jansen"))
    assert "Jansen" not in shown(letter, body=False)
    assert "header x-name: 6 bytes" in shown(letter, body=False)
    assert shown(letter, body=True).count("Jansen") == 3


def test_control_characters_are_escaped() -> None:
    letter = letter_of(a_record(headers=[("ce_id", b"\x1b[2J\nreason: none\xff")]))
    assert r"header ce_id: \x1b[2J\nreason: none\xff" in shown(letter, body=False)
    assert own_headers(letter) == [("ce_id", b"\x1b[2J\nreason: none\xff")]


@pytest.mark.parametrize("text", ["", "3", "3:", ":17", "3:17:1", "a:b", "3:-1", "٣:١٧"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="no dead letter's id"):
        LetterId.read(text)


def test_letters_are_named_in_one_way_only() -> None:
    assert read_selection(["3:17"], False, Filter()) == [LetterId(3, 17)]
    assert read_selection([], True, Filter()) == []
    assert read_selection([], False, Filter(reason="bad_json")) == []
    for ids, everything, wanted in (
        ([], False, Filter()),
        (["3:17"], True, Filter()),
        (["3:17"], False, Filter(reason="bad_json")),
    ):
        with pytest.raises(UserError, match="Say which letters"):
            read_selection(ids, everything, wanted)


def test_times_are_read_and_shown_in_amsterdam() -> None:
    winter = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert times.read("2026-11-23T10:00") == winter
    assert times.read("2026-11-23T09:00Z") == winter
    assert times.read("2026-07-01") == datetime(2026, 6, 30, 22, 0, tzinfo=UTC)
    assert times.shown(winter) == "2026-11-23 10:00:00"
    assert times.shown(datetime.max.replace(tzinfo=UTC)).startswith("9999-12-31")
    with pytest.raises(typer.BadParameter):
        read_filter(None, None, "gisteren", None)
