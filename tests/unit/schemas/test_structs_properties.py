"""Whatever is done to a record's bytes, its reader and its model agree about them."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.base import Body
from schemas.orders import OrderTimer
from tests.unit.schemas.reading import EXAMPLES, READERS, TIMER, Json, agreed, text

ANYTHING = st.sampled_from(
    [
        *("null", "true", "false", "[]", "{}", "[null]", '{"a": 1}', '""', '"a"', '"\\n"'),
        *("0", "1", "2", "-1", "-0", "1.0", "1.5", "1e0", "1e400", "01", "1.", "+1", "0x1"),
        *("99", "100", "3650", "3651", "100000", "100001", "2147483647", "2147483648"),
        *("9" * 30, "9" * 5000, "NaN", "Infinity", "-Infinity", "nul", ""),
        *('"1"', '"true"', '"null"', '"gp"', '"proxy"', '"portal"', '"sweep"', '"TOO_EARLY"'),
        *('"\\u0000"', '"\x00"', '"\x1f"', '"\x7f"', '"\\ud800"', '"\\udc00"', '"\ud800"'),
        *('"\\ud83d\\ude00"', '"\\ude00\\ud83d"', '"\\x"', '"\\u12"', '"\\/"', '"a\nb"', '"'),
        *("[" * depth + "]" * depth for depth in (3, 190, 205, 2000)),
        *('{"a":' * depth + "1" + "}" * depth for depth in (3, 190, 205, 2000)),
    ]
)
"""JSON, and what is nearly so, that may stand in the place of any value."""

DATES = st.sampled_from(
    [
        *("2026-11-10", "2024-02-29", "2023-02-29", "2026-13-01", "0000-01-01", "0001-01-01"),
        *("9999-12-31", "10000-01-01", "2026-1-1", "20261110", "2026-W46-2", "2026/11/10"),
        *("+2026-11-10", " 2026-11-10", "2026-11-10 ", "2026-11-1٥", "2026-11-10\\n"),
    ]
)

TIMES = st.builds(
    "".join,
    st.tuples(
        st.just("2026-11-10") | DATES,
        st.just("T") | st.sampled_from(["t", " ", "_", ""]),
        st.just("12:00:00")
        | st.sampled_from(["00:00:00", "23:59:59", "23:59:60", "24:00:00", "12:00"]),
        st.just("")
        | st.from_regex(r"\A\.[0-9]{1,13}\Z")
        | st.sampled_from([",5", ".", ",1234567"]),
        st.just("Z")
        | st.sampled_from(
            [
                *("z", "+00:00", "-00:00", "+01:00", "-01:00", "+0100", "+01", "+23:59"),
                *("-23:59", "+24:00", "+00:60", " Z", "−01:00", ""),
            ]
        ),
    ),
)

MOMENTS = DATES | TIMES | st.sampled_from(["1790000000", "1790000000000", "1790000000.5"])

TEXTS = st.text(st.characters(exclude_categories=[]), max_size=8).map(json.dumps)


def _rewritten(string: str) -> st.SearchStrategy[str]:
    """JSON strings that are nearly this one, or this one in other words."""
    plain = json.dumps(string)[1:-1]
    cut = st.integers(0, len(plain))
    inserted = st.sampled_from(
        ["\\n", "\\u0000", "\\ud800", "٥", "😀", " ", "\\\\", "-", "\\r", "\x00"]
    )
    insides = st.one_of(
        st.builds(lambda at, what: plain[:at] + what + plain[at:], cut, inserted),
        st.builds(lambda at: plain[:at] + "\\n" + plain, cut),
        st.builds(lambda at: "".join(_escaped(plain[:at])) + plain[at:], cut),
        st.builds(
            lambda times: plain + "x" * times, st.sampled_from([1, 100, 199, 200, 1999, 2000])
        ),
        st.sampled_from(
            [plain.upper(), plain.replace("-", ""), f"{{{plain}}}", f"urn:uuid:{plain}"]
        ),
    )
    return insides.map(lambda inside: f'"{inside}"')


def _escaped(plain: str) -> Iterator[str]:
    return (f"\\u{ord(char):04x}" for char in plain)


def _in_place_of(value: Any) -> st.SearchStrategy[str]:
    """JSON to stand in the place of this value, often of its own kind."""
    kind: st.SearchStrategy[str] = ANYTHING
    if isinstance(value, str):
        kind = _rewritten(value) | TEXTS
        if value[:2] == "20":
            kind = MOMENTS.map(lambda moment: f'"{moment}"') | _rewritten(value)
    elif isinstance(value, int):
        kind = st.sampled_from([f"{value}.0", f"{value}e0", f'"{value}"', f"-{value}", f"{value}0"])
    elif isinstance(value, list) and value:
        kind = st.just(json.dumps([*value, value[0]]))
    return kind | kind | ANYTHING


@dataclass(frozen=True)
class Place:
    """Where a value is: in this object or list, by this name or number."""

    holder: Any
    at: str | int

    @property
    def value(self) -> Any:
        return self.holder[self.at]


def places(node: Any) -> list[Place]:
    """Every place in a value, at any depth."""
    if not isinstance(node, dict | list):
        return []
    own = [Place(node, at) for at in (node if isinstance(node, dict) else range(len(node)))]
    return [*own, *(inner for place in own for inner in places(place.value))]


def _changed(draw: st.DrawFn, place: Place) -> str:
    """JSON for a place that keeps it, spoils it, or gives it twice."""
    old = json.dumps(place.value, ensure_ascii=draw(st.booleans()))
    new = draw(_in_place_of(place.value))
    if isinstance(place.at, int):
        return draw(st.sampled_from([new, f"{old}, {new}", f"{old}, {old}"]))
    name = json.dumps(place.at)
    twice = [f"{old}, {name}: {new}", f"{new}, {name}: {old}"]
    more = [f'{old}, "new": {new}', f'{old}, "n\\ud800": 1', f"{old}, {draw(TEXTS)}: {new}"]
    return draw(st.sampled_from([new, new, new, *twice, *more]))


@st.composite
def nearly(draw: st.DrawFn, example: Json) -> bytes:
    """The bytes of a record like this one with a change or two anywhere in it."""
    record = deepcopy(example)
    if draw(st.integers(0, 3)) == 3:
        dropped = draw(st.sampled_from([p for p in places(record) if isinstance(p.at, str)]))
        del dropped.holder[dropped.at]
    written: list[str] = []
    for number in range(draw(st.integers(0 if record != example else 1, 2))):
        place = draw(st.sampled_from([p for p in places(record) if not _is_mark(p.value)]))
        written.append(_changed(draw, place))
        place.holder[place.at] = f"@{number}@"
    whole = json.dumps(record)
    # The last first, as it may have an earlier one in it.
    for number, change in reversed([*enumerate(written)]):
        whole = whole.replace(f'"@{number}@"', change)
    return whole.encode("utf-8", "surrogatepass")


def _is_mark(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("@")


@st.composite
def damaged(draw: st.DrawFn, example: Json) -> bytes:
    """The bytes of a record with some put in, taken out or put around."""
    whole = text(example)
    at = draw(st.integers(0, len(whole)))
    some = draw(st.binary(max_size=2) | st.sampled_from([b"1", b"a", b" ", b"\\", b"\\u0000"]))
    gone = draw(st.integers(0, 2))
    around = st.just(b"") | st.sampled_from([b" \t\r\n", b"\xef\xbb\xbf", b"\x00", b"x", b"{}"])
    return draw(around) + whole[:at] + some + whole[at + gone :] + draw(around)


MANY = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.slow
@pytest.mark.parametrize("body", EXAMPLES, ids=lambda body: body.TYPE)
@MANY
@given(data=st.data())
def test_a_changed_record_is_taken_or_refused_as_its_model_does(
    body: type[Body], data: st.DataObject
) -> None:
    agreed(READERS[body], data.draw(nearly(EXAMPLES[body])))


@pytest.mark.slow
@pytest.mark.parametrize("body", EXAMPLES, ids=lambda body: body.TYPE)
@MANY
@given(data=st.data())
def test_damaged_bytes_are_taken_or_refused_as_their_model_does(
    body: type[Body], data: st.DataObject
) -> None:
    agreed(READERS[body], data.draw(damaged(EXAMPLES[body])))


@pytest.mark.slow
@settings(MANY, max_examples=1000)
@given(TIMES, st.booleans())
def test_a_time_is_read_as_its_model_reads_it(at: str, hidden: bool) -> None:
    written = "".join(_escaped(at)) if hidden else at
    value = text(TIMER).replace(TIMER["due_at"].encode(), written.encode())
    agreed(READERS[OrderTimer], value)
