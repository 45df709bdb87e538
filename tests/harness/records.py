"""Records as Kafka would deliver them, without Kafka."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runtime.messages.encoding import encode
from runtime.messages.message import Headers
from runtime.messages.partitioner import partition_of
from schemas.base import Body
from schemas.topics import Topic

APPENDED_MS = 1_790_000_000_000


@dataclass
class Delivered:
    """A record as a consumer receives it."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    partition: int = 0
    offset: int = 7
    timestamp: int = APPENDED_MS


def envelope(body: type[Body], **changes: str | bytes | None) -> Headers:
    """The headers of a record, with these changes; a change to "" removes the header."""
    headers: Mapping[str, str | bytes | None] = {
        "ce_specversion": "1.0",
        "ce_id": "7f9c0f2e-1111-5222-8333-444455556666",
        "ce_type": body.ce_type(),
        "ce_source": "urn:portal:test",
        "content-type": "application/json",
    } | changes
    return [
        (name, value.encode() if isinstance(value, str) else value)
        for name, value in headers.items()
        if value != ""
    ]


def delivered(topic: Topic, body: Body, **changes: Any) -> Delivered:
    """The record that carries `body`, on its key's partition, with these attributes changed."""
    key = str(getattr(body, body.KEY)).encode()
    fields: dict[str, Any] = {
        "topic": topic.name,
        "key": key,
        "value": encode(body),
        "headers": envelope(type(body)),
        "partition": partition_of(key, topic.partitions),
    } | changes
    return Delivered(**fields)
