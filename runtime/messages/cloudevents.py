"""Makes CloudEvents 1.0 records in binary mode: the envelope is in the headers, the value is the JSON body."""

import re
from datetime import datetime
from functools import lru_cache
from uuid import UUID, uuid5

from runtime.messages.encoding import encode
from runtime.messages.message import Outgoing, Record
from schemas.base import SYSTEM_NAME, TRACEPARENT, Body
from schemas.topic_lookup import system_of

EVENTS = UUID("5b1f4f0e-6f0b-5d5e-9d3c-6a2f8f3f7f10")
"""UUIDv5 namespace of event ids."""


def event_id(event_type: str, *subject: object) -> str:
    """Derive the id of an event (UUIDv5) from its type and subject, so that it is the same after a retry."""
    return str(uuid5(EVENTS, "/".join([event_type, *map(str, subject)])))


_THROUGH = "ce_through"
"""Names the outside system whose request our API publishes."""

_SYSTEM_NAME = re.compile(SYSTEM_NAME)


def through(record: Record) -> str | None:
    """The outside system that a command came through; None for a person's own request.

    A system's own topic says it, whatever its header says. Only our APIs write a plain topic: there the header
    counts.
    """
    if system := system_of(record.topic):
        return system
    named = next((value for name, value in record.headers if name == _THROUGH), None)
    text = (named or b"").decode(errors="replace")
    return text if _SYSTEM_NAME.fullmatch(text) else None


_TRACEPARENT = re.compile(TRACEPARENT)


def valid_traceparent(sent: str | None) -> str | None:
    """The trace context that a client sent; None if it is not valid, as W3C Trace Context requires."""
    return sent if sent and _TRACEPARENT.match(sent) else None


def child_traceparent(parent: str | None, event: str) -> str:
    """Derive W3C trace context from that of the cause and the event id, so it is the same after a retry."""
    digits = event.replace("-", "")
    if parent is None:
        return f"00-{digits}-{digits[16:]}-01"
    return f"{parent[:36]}{digits[:16]}{parent[52:55]}"


@lru_cache(maxsize=256)
def _fixed_headers(kind: type[Body], source: str) -> list[tuple[str, bytes | None]]:
    return [
        ("ce_specversion", b"1.0"),
        ("ce_type", kind.ce_type().encode()),
        ("ce_source", source.encode()),
        ("content-type", b"application/json"),
    ]


def outgoing(
    topic: str,
    body: Body,
    *,
    key: str,
    id: str,
    source: str,
    subject: str,
    at: datetime,
    traceparent: str | None,
    through: str | None = None,
) -> Outgoing:
    """Make the record of `body`, with `id` as its `ce_id` and `at` (UTC) as its time.

    `traceparent` is that of the record's cause, `through` the outside system that sent it as a request.
    Consumers recognise duplicates by the id.
    """
    headers: list[tuple[str, bytes | None]] = [
        *_fixed_headers(type(body), source),
        ("ce_id", id.encode()),
        ("ce_time", rfc3339(at).encode()),
        ("ce_subject", subject.encode()),
        ("traceparent", child_traceparent(traceparent, id).encode()),
    ]
    if through is not None:
        headers.append((_THROUGH, through.encode()))
    return Outgoing(topic, key.encode(), encode(body), headers)


def tombstone(
    topic: str, kind: type[Body], *, key: str, id: str, source: str, subject: str, at: datetime
) -> Outgoing:
    """Make the record that deletes a key of a compacted topic, where its body was of this kind."""
    headers: list[tuple[str, bytes | None]] = [
        *_fixed_headers(kind, source),
        ("ce_id", id.encode()),
        ("ce_time", rfc3339(at).encode()),
        ("ce_subject", subject.encode()),
    ]
    return Outgoing(topic, key.encode(), None, headers)


@lru_cache(maxsize=1024)
def rfc3339(at: datetime) -> str:
    """Format a time (UTC) by RFC 3339."""
    # Cached, as all records that one record causes have the same time.
    return at.isoformat().replace("+00:00", "Z")
