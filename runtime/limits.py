"""Rate limits: how many requests somebody may send, and what counting them found."""

import re
from dataclasses import dataclass
from typing import NamedTuple, Self

_TEXT = re.compile(r"([1-9]\d{0,6})/([1-9]\d{0,4})", re.ASCII)


class Limit(NamedTuple):
    """At most `quota` requests at once, and as many again in each `window_s` (seconds), evenly spread."""

    quota: int
    window_s: int

    @classmethod
    def parse(cls, text: object) -> Self:
        """Parse `QUOTA/SECONDS`, such as `100/20`. Raises ValueError."""
        if isinstance(text, cls):
            return text
        match = _TEXT.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise ValueError("is not QUOTA/SECONDS, such as 100/20")
        return cls(int(match[1]), int(match[2]))

    @property
    def step_s(self) -> float:
        """How long (seconds) one request takes to be free again."""
        return self.window_s / self.quota


@dataclass(frozen=True, slots=True)
class Limits:
    """The limit of each: a person's token, a system's token, a patient asked about by a system, an address."""

    person: Limit
    system: Limit
    patient: Limit
    address: Limit


class Use(NamedTuple):
    """What a request counts for: the key of somebody, with the limit and its name."""

    key: bytes
    name: str
    limit: Limit


@dataclass(frozen=True, slots=True)
class Counted:
    """Of the requests for a key this many are admitted; the whole quota is free again in `busy_s` seconds."""

    admitted: int
    busy_s: float
