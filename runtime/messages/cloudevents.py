"""CloudEvents 1.0 in binary mode: ids, trace context, and the record that carries a body.

The envelope is in the headers, the value is the JSON body alone.
"""

import re
from datetime import datetime
from functools import lru_cache
from uuid import UUID, uuid5

from runtime.messages.encoding import encode
from runtime.messages.message import Outgoing
from schemas.base import TRACEPARENT, Body

EVENTS = UUID("5b1f4f0e-6f0b-5d5e-9d3c-6a2f8f3f7f10")
"""Namespace of deterministic event ids: UUIDv5 of what happened."""


def event_id(event_type: str, *what: object) -> str:
    """The id of an event, a UUIDv5 in `EVENTS`, the same whenever the same thing is decided again."""
    return str(uuid5(EVENTS, "/".join([event_type, *map(str, what)])))


_TRACEPARENT = re.compile(TRACEPARENT)


def valid_traceparent(sent: str | None) -> str | None:
    """The trace context that a client sent; None if it is not valid: W3C says to ignore it then."""
    return sent if sent and _TRACEPARENT.match(sent) else None


def child_traceparent(parent: str | None, event: str) -> str:
    """W3C trace context for a record caused by `parent`, derived from the event so a replay agrees."""
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
) -> Outgoing:
    """The record that carries `body`; `traceparent` is that of its cause, `at` its time (UTC).

    `id` is its `ce_id`: consumers drop what they have seen by it.
    """
    headers: list[tuple[str, bytes | None]] = [
        *_fixed_headers(type(body), source),
        ("ce_id", id.encode()),
        ("ce_time", rfc3339(at).encode()),
        ("ce_subject", subject.encode()),
        ("traceparent", child_traceparent(traceparent, id).encode()),
    ]
    return Outgoing(topic, key.encode(), encode(body), headers)


@lru_cache(maxsize=1024)
def rfc3339(at: datetime) -> str:
    """A time (UTC) as envelopes have it."""
    # All that follows from a record has its time.
    return at.isoformat().replace("+00:00", "Z")
