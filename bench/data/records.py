"""Records that the benchmark writes, and their headers."""

from typing import NamedTuple


class InputRecord(NamedTuple):
    """Key, value and headers of a record that the benchmark writes."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def envelope(
    ce_type: str, ce_id: str, at: str, subject: str, traceparent: str
) -> list[tuple[str, bytes]]:
    """Make CloudEvents headers; `at` is RFC 3339 in UTC."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_type", ce_type.encode()),
        ("ce_source", b"nl.herhaal/bench"),
        ("content-type", b"application/json"),
        ("ce_id", ce_id.encode()),
        ("ce_time", at.encode()),
        ("ce_subject", subject.encode()),
        ("traceparent", traceparent.encode()),
    ]


def uuid4_text(bits: int) -> str:
    """Format these bits as a random UUID, in a third of the time of `uuid.UUID`."""
    return _uuid_text(bits, "4")


def uuid7_text(at_ms: int, bits: int) -> str:
    """Make a time-ordered UUID (RFC 9562, version 7) with these 74 random bits."""
    return _uuid_text((at_ms & 0xFFFFFFFFFFFF) << 80 | bits, "7")


def trace(trace_id: int, parent_id: int) -> str:
    """Make a W3C `traceparent`."""
    return f"00-{trace_id:032x}-{parent_id:016x}-01"


def _uuid_text(bits: int, version: str) -> str:
    digits = f"{bits:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{version}{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
