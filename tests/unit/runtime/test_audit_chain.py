"""The chain of audit entries: what is wrong with stored rows, for each way to tamper with them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec.structs import replace

from runtime.audit.chain import AuditKey, Head, Link
from runtime.audit.entry import Channel, Entry, Outcome

KEY, OTHER_KEY = AuditKey(bytes(32)), AuditKey(b"\1" * 32)
WRITER = UUID(int=1)
AT = datetime(2026, 11, 28, 9, 30, 0, 123456, UTC)
START = Head()


def entry(actor: str = "assistant-1", at: datetime = AT) -> Entry:
    return Entry(
        at=at,
        role="assistant",
        actor=actor,
        patient="pat_anna",
        action="orders.read",
        channel=Channel.HTTP,
        outcome=Outcome.ALLOWED,
    )


def five() -> list[Link]:
    """Five links of a chain; all at the same time."""
    return KEY.links(WRITER, START, [entry(f"assistant-{n}") for n in range(5)])


def test_a_chain_as_it_was_written_has_no_breaks() -> None:
    assert not list(KEY.breaks(WRITER, START, five()))


def test_a_chain_that_was_written_in_parts_has_no_breaks() -> None:
    first = KEY.links(WRITER, START, [entry("a"), entry("b")])
    second = KEY.links(WRITER, Head(first[-1].seq, first[-1].mac), [entry("c")])
    assert not list(KEY.breaks(WRITER, START, first + second))


@dataclass
class Tampering:
    """A way to tamper with five links, and what is then said of them."""

    tamper: Callable[[list[Link]], list[Link]]
    found: list[str]


CHANGED = "was changed, or is not where it was written"


def _renumbered(links: list[Link]) -> list[Link]:
    return [replace(link, seq=number) for number, link in enumerate(links, 1)]


TAMPERINGS = {
    "a value changed": Tampering(
        lambda links: [*links[:2], replace(links[2], entry=entry("nobody")), *links[3:]],
        [f"row 3 {CHANGED}"],
    ),
    "a microsecond changed": Tampering(
        lambda links: [
            *links[:2],
            replace(links[2], entry=entry("assistant-2", AT.replace(microsecond=123457))),
            *links[3:],
        ],
        [f"row 3 {CHANGED}"],
    ),
    "a middle row taken out": Tampering(
        lambda links: [*links[:2], *links[3:]], ["after row 2 comes row 4: a row is missing"]
    ),
    "a middle row taken out, and the rest renumbered": Tampering(
        lambda links: _renumbered([*links[:2], *links[3:]]),
        [f"row 3 {CHANGED}", f"row 4 {CHANGED}"],
    ),
    "two rows swapped": Tampering(
        lambda links: _renumbered([links[0], links[2], links[1], *links[3:]]),
        [f"row 2 {CHANGED}", f"row 3 {CHANGED}", f"row 4 {CHANGED}"],
    ),
    "a row put in": Tampering(
        lambda links: _renumbered([*links[:2], links[1], *links[2:]]),
        [f"row 3 {CHANGED}", f"row 4 {CHANGED}", f"row 5 {CHANGED}", f"row 6 {CHANGED}"],
    ),
    "a row twice": Tampering(
        lambda links: [*links[:2], links[1], *links[2:]],
        ["after row 2 comes row 2: a row was put in"],
    ),
    "the first rows taken away": Tampering(
        lambda links: links[2:], ["after row 0 comes row 3: 2 rows are missing"]
    ),
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_each_kind_of_tampering_is_found(how: str) -> None:
    case = TAMPERINGS[how]
    assert list(KEY.breaks(WRITER, START, case.tamper(five()))) == case.found


def test_rows_made_with_another_key_or_of_another_writer_are_found() -> None:
    """Given somebody who makes a whole chain anew, without the key, or copies another writer's."""
    forged = OTHER_KEY.links(WRITER, START, [entry()])
    assert list(KEY.breaks(WRITER, START, forged)) == [f"row 1 {CHANGED}"]
    of_another = KEY.links(UUID(int=2), START, [entry()])
    assert list(KEY.breaks(WRITER, START, of_another)) == [f"row 1 {CHANGED}"]


def test_a_seal_covers_number_and_mac_and_writer() -> None:
    head = Head(3, b"mac")
    seal = KEY.seal(WRITER, head)
    others = (
        KEY.seal(WRITER, Head(2, b"mac")),
        KEY.seal(WRITER, Head(3, b"cam")),
        KEY.seal(UUID(int=2), head),
        KEY.start_seal(WRITER, head),
        OTHER_KEY.seal(WRITER, head),
    )
    assert seal not in others


def test_a_key_shows_nothing_of_itself() -> None:
    key = AuditKey(b"K" * 32)
    assert "K" * 8 not in repr(key) + str(key)
    with pytest.raises(ValueError, match="64 hexadecimal digits") as refused:
        AuditKey.read("secret")
    assert "secret" not in str(refused.value)
