"""Dead letters as records: read their headers, and restore the original record."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from cli.console import UserError
from runtime.messages.dead_letters import PREFIX
from runtime.messages.message import Headers, Outgoing, Record

REPLAYED_FROM = "replayed_from"
"""Header of a replayed record: the dead letter that it comes from, as `topic:partition:offset`."""

_ID = re.compile(r"^(\d{1,5}):(\d{1,19})$", re.ASCII)


@dataclass(frozen=True, order=True, slots=True)
class LetterId:
    """Partition and offset of a dead letter on its topic, written `partition:offset`."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Parse an id. Raises UserError when the text is not one."""
        match = _ID.match(text)
        if match is None:
            raise UserError(f"“{text}” is no dead letter's id; one looks like 3:17.")
        return cls(int(match[1]), int(match[2]))


@dataclass(frozen=True, slots=True)
class Place:
    """Topic, partition and offset of a record."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter without its content.

    `at` (UTC) is the append time of the original record, `origin` its place. `key` is None when the record has
    none, or an empty one.
    """

    id: LetterId
    key: bytes | None
    at: datetime
    reason: str
    detail: str
    origin: Place
    type: str | None
    replayed_from: str | None


def read_letter(record: Record) -> Letter | None:
    """Read a letter from a record; None when the record is not a dead letter."""
    own, about = _split_headers(record.headers)
    try:
        at = datetime.fromisoformat(about["at"])
        origin = Place(about["topic"], int(about["partition"]), int(about["offset"]))
        reason, detail = about["reason"], about["detail"]
    except (KeyError, ValueError):
        return None
    if at.tzinfo is None:
        return None
    return Letter(
        LetterId(record.partition, record.offset),
        record.key or None,
        at,
        reason,
        detail,
        origin,
        own.get("ce_type"),
        own.get(REPLAYED_FROM),
    )


def original(record: Record, dead_letters: str) -> Outgoing:
    """Restore the original record of a dead letter, to send it again.

    It has the original headers and `replayed_from`. A null value, which the dead letter holds as an empty
    one, is null again. `dead_letters` is the name of the dead-letter topic.
    """
    _, about = _split_headers(record.headers)
    own = [h for h in record.headers if not h[0].startswith(PREFIX) and h[0] != REPLAYED_FROM]
    source = Place(dead_letters, record.partition, record.offset)
    value = None if "null_value" in about else record.value
    return Outgoing(
        about["topic"], record.key, value, [*own, (REPLAYED_FROM, str(source).encode())]
    )


def own_headers(record: Record) -> Headers:
    """List the headers of the original record."""
    return [header for header in record.headers if not header[0].startswith(PREFIX)]


def _split_headers(headers: Headers) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Split into original headers and the last of each `dl_*` header without prefix, both as text.

    A record that was resent by hand may have older `dl_*` headers before ours.
    """
    texts = list(_texts(headers))
    own = {name: text for name, text in reversed(texts) if not name.startswith(PREFIX)}
    about = {n.removeprefix(PREFIX): text for n, text in texts if n.startswith(PREFIX)}
    return own, about


def _texts(headers: Headers) -> Iterable[tuple[str, str]]:
    for name, value in headers:
        if value is not None:
            yield name, value.decode(errors="backslashreplace")
