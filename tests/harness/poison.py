"""Ways to spoil a record about metformine, each with the reason of its dead letter."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from runtime.messages.parser import MAX_HEADER_BYTES, MAX_HEADERS
from tests.harness.made import Sent

Spoil = Callable[[Sent], Sent]


def _header(name: str, value: bytes | None) -> Spoil:
    def spoil(record: Sent) -> Sent:
        kept = tuple(h for h in record.headers if h[0] != name)
        return replace(record, headers=(*kept, (name, value)))

    return spoil


def _without(name: str) -> Spoil:
    return lambda r: replace(r, headers=tuple(h for h in r.headers if h[0] != name))


def _value(value: bytes | None) -> Spoil:
    return lambda record: replace(record, value=value)


SPOILT: Mapping[str, tuple[str, Spoil]] = {
    "bad JSON": ("bad_json", _value(b'{"order_id": ')),
    "an empty value": ("bad_json", _value(b"")),
    "JSON of another shape": ("wrong_schema", _value(b"[]")),
    "a body without its fields": ("wrong_schema", _value(b"{}")),
    "a text with U+0000": ("wrong_schema", lambda r: replace(r, value=_with_nul(r.value))),
    "an unknown type": ("unknown_type", _header("ce_type", b"nl.herhaal.order.wish.v1")),
    "no type": ("missing_type", _without("ce_type")),
    "no id": ("missing_id", _without("ce_id")),
    "a null header": ("null_header", _header("x-portal", None)),
    "a binary header": ("binary_header", _header("x-portal", b"\xff\xfe\x00")),
    "an oversize header": ("oversize_header", _header("x-portal", b"x" * (MAX_HEADER_BYTES + 1))),
    "a null value": ("null_value", _value(None)),
    "a key that is not the patient": ("key_mismatch", lambda r: replace(r, key=b"pat_other0001")),
    "a key that is not UTF-8": ("bad_key", lambda r: replace(r, key=b"\xff\xfe")),
    "a key with U+0000": ("bad_key", lambda r: replace(r, key=b"pat_\x00")),
    "no key": ("missing_key", lambda r: replace(r, key=None)),
    "an id with U+0000": ("bad_id", _header("ce_id", b"\x00")),
    "more headers than are read": ("oversize_header", lambda r: replace(r, headers=_many(r))),
}


def _many(record: Sent) -> tuple[tuple[str, bytes | None], ...]:
    return (*record.headers, *((f"x-{number}", b"1") for number in range(MAX_HEADERS)))


def _with_nul(value: bytes | None) -> bytes:
    assert value is not None
    return value.replace(b'"Metformine', b'"\\u0000Metformine')
