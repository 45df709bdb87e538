"""Dead letters as they lie on their topic: what each says of itself, and the record it once was."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from cli.console import UserError
from runtime.messages.dead_letters import PREFIX
from runtime.messages.message import Headers, Outgoing, Record

REPLAYED_FROM = "replayed_from"
"""The header of a replayed record: the dead letter it was, as `topic:partition:offset`."""

_ID = re.compile(r"^(\d{1,5}):(\d{1,19})$", re.ASCII)


@dataclass(frozen=True, order=True, slots=True)
class LetterId:
    """Where a dead letter lies on its service's topic; people write it `partition:offset`."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises UserError when the text is no id."""
        found = _ID.match(text)
        if found is None:
            raise UserError(f"“{text}” is no dead letter's id; one looks like 3:17.")
        return cls(int(found[1]), int(found[2]))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies, or lay."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Letter:
    """What is known of a dead letter without its content.

    `at` (UTC) is when the broker took the record in that died; `origin` is where that record lay.
    `key` is None where the record has none, or an empty one.
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
    """The letter in a record; None when whoever wrote it did not write a dead letter."""
    own, about = _parted(record.headers)
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
    """The record that a dead letter once was, as it is sent again.

    Its headers are its own and `replayed_from`; a null value that had to be kept as an empty one is
    null again. `dead_letters` is the name of the topic that the letter lies on.
    """
    _, about = _parted(record.headers)
    own = [h for h in record.headers if not h[0].startswith(PREFIX) and h[0] != REPLAYED_FROM]
    source = Place(dead_letters, record.partition, record.offset)
    value = None if "null_value" in about else record.value
    return Outgoing(
        about["topic"], record.key, value, [*own, (REPLAYED_FROM, str(source).encode())]
    )


def own_headers(record: Record) -> Headers:
    """The headers that the record had before it died."""
    return [header for header in record.headers if not header[0].startswith(PREFIX)]


def _parted(headers: Headers) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The record's own headers, and the last of each `dl_*` without the prefix, both as text.

    A record that died twice and was sent again by hand may have older ones before ours.
    """
    texts = list(_texts(headers))
    own = {name: text for name, text in reversed(texts) if not name.startswith(PREFIX)}
    about = {n.removeprefix(PREFIX): text for n, text in texts if n.startswith(PREFIX)}
    return own, about


def _texts(headers: Headers) -> Iterable[tuple[str, str]]:
    for name, value in headers:
        if value is not None:
            yield name, value.decode(errors="backslashreplace")
