"""A dead letter is the unchanged record, with headers for reason, origin and time."""

import pytest

from runtime.messages.dead_letters import dead_letter, origin
from runtime.messages.parser import Unreadable
from tests.harness.records import Delivered

WHY = Unreadable("wrong_schema", "lines.1.prk: missing")


def letter(**changes: object) -> tuple[bytes | None, bytes | None, dict[str, bytes | None]]:
    fields: dict[str, object] = {
        "topic": "orders.requests",
        "key": b"pat_anna0001",
        "value": b"{}",
        "headers": [("ce_id", b"1")],
        "partition": 3,
        "offset": 42,
        "timestamp": 1_790_000_000_123,
    }
    made = dead_letter("ordering", Delivered(**(fields | changes)), WHY)  # type: ignore[arg-type]
    assert made.topic == "ordering.dead-letters"
    return made.key, made.value, dict(made.headers)


def test_headers_give_reason_origin_and_time() -> None:
    _, _, headers = letter()
    assert {name: value for name, value in headers.items() if name.startswith("dl_")} == {
        "dl_reason": b"wrong_schema",
        "dl_detail": b"lines.1.prk: missing",
        "dl_service": b"ordering",
        "dl_topic": b"orders.requests",
        "dl_partition": b"3",
        "dl_offset": b"42",
        "dl_at": b"2026-09-21T14:13:20.123000Z",
    }


def test_key_value_and_headers_are_unchanged_and_in_order() -> None:
    headers = (("ce_id", b"1"), ("x", None), ("x", b"\xff\xfe"), ("x", b""))
    record = Delivered("orders.requests", b"\xff", b"\x00{", headers)
    made = dead_letter("ordering", record, WHY)
    assert (made.key, made.value) == (b"\xff", b"\x00{")
    assert tuple(made.headers[:4]) == headers


def test_a_null_value_stays_null_if_the_record_has_a_key() -> None:
    key, value, headers = letter(value=None)
    assert (key, value) == (b"pat_anna0001", None)
    assert "dl_null_value" not in headers


def test_a_record_without_key_and_value_is_marked_because_kafka_clients_refuse_it() -> None:
    key, value, headers = letter(key=None, value=None)
    assert (key, value) == (None, b"")
    assert headers["dl_null_value"] == b"true"


def test_the_same_record_gives_the_same_dead_letter_on_a_replay() -> None:
    assert letter() == letter()


def _record(*headers: tuple[str, bytes | None]) -> Delivered:
    return Delivered("metrics.dead-letters", b"pat_anna0001", b"{}", headers)


def test_a_dead_letter_of_a_dead_letter_has_that_dead_letter_as_origin() -> None:
    _, _, first = letter()
    kept = dead_letter("metrics", _record(*first.items()), WHY)
    assert origin(_record(*first.items())) == ("orders.requests", 3, 42)
    assert origin(_record(*kept.headers)) == ("metrics.dead-letters", 0, 7)


@pytest.mark.parametrize("offset", [None, b"", b"-1", b"4x", b"9" * 5000])
def test_a_record_without_valid_headers_has_no_origin(offset: bytes | None) -> None:
    headers = (("dl_topic", b"orders.events"), ("dl_partition", b"1"), ("dl_offset", offset))
    assert origin(_record(*headers)) is None
    assert origin(_record()) is None
