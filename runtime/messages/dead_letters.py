"""Makes dead letters: unreadable records with the reason, the origin and the time in `dl_*` headers."""

from runtime.messages.cloudevents import rfc3339
from runtime.messages.message import Headers, Outgoing, Record, append_time
from runtime.messages.parser import Unreadable
from schemas.topics import dead_letters

PREFIX = "dl_"

MAX_KEY_BYTES = 64 * 1024
MAX_VALUE_BYTES = 2 * 1024 * 1024
MAX_HEADERS_BYTES = 1024 * 1024
"""Limits of the copy; together they fit the dead letter topic. The origin has the whole record.

Records larger than this exist, as the broker's limit is on compressed batches.
"""


def dead_letter(service: str, record: Record, why: Unreadable) -> Outgoing:
    """Copy the record with its headers, and add `dl_*` headers: reason, detail, service, origin.

    `dl_at` is the append time of the record (UTC), so that handling it again makes the same dead letter.
    """
    about = {
        "reason": why.reason,
        "detail": why.detail,
        "service": service,
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "at": rfc3339(append_time(record.timestamp)),
    }
    key, value, headers = record.key, record.value, _kept(record.headers)
    if key is None and value is None:
        # Kafka clients refuse a record with neither; the header marks the empty value as a stand-in.
        about["null_value"], value = "true", b""
    if key is not None and len(key) > MAX_KEY_BYTES:
        about["key_cut_from"], key = str(len(key)), key[:MAX_KEY_BYTES]
    if value is not None and len(value) > MAX_VALUE_BYTES:
        about["value_cut_from"], value = str(len(value)), value[:MAX_VALUE_BYTES]
    if len(headers) < len(record.headers):
        about["headers_cut_from"] = str(len(record.headers))
    headers += [(PREFIX + name, text.encode()) for name, text in about.items()]
    return Outgoing(dead_letters(service).name, key, value, headers)


def origin(record: Record) -> tuple[str, int, int] | None:
    """Read topic, partition and offset of the original record; None without valid `dl_*` headers."""
    # The last header of a name counts: the original record may be a dead letter itself.
    about = {name: value or b"" for name, value in record.headers if name.startswith(PREFIX)}
    topic, partition, offset = (
        about.get(PREFIX + n, b"") for n in ("topic", "partition", "offset")
    )
    if not (topic and _is_number(partition) and _is_number(offset)):
        return None
    return topic.decode(errors="replace"), int(partition), int(offset)


def _is_number(text: bytes) -> bool:
    return text.isdigit() and len(text) < 20


def _kept(headers: Headers) -> list[tuple[str, bytes | None]]:
    """The first headers, as many as `MAX_HEADERS_BYTES` allows."""
    kept: list[tuple[str, bytes | None]] = []
    left = MAX_HEADERS_BYTES
    for name, content in headers:
        left -= 4 * len(name) + len(content or b"")
        if left < 0:
            break
        kept.append((name, content))
    return kept
