"""A month of the calendar in UTC, by which large tables are parted."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Self

_MONTH = re.compile(r"^([0-9]{4})-(0[1-9]|1[0-2])$", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month, 1 to 12, of a year."""

    year: int
    month: int

    @classmethod
    def of(cls, at: datetime) -> Self:
        """The month in UTC of a moment, which has a time zone."""
        utc = at.astimezone(UTC)
        return cls(utc.year, utc.month)

    @classmethod
    def read(cls, text: str) -> Self:
        """Read `YYYY-MM`. Raises ValueError."""
        found = _MONTH.match(text)
        if found is None or not int(found[1]):
            raise ValueError(f"{text} is no month such as 2006-11")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    def plus(self, months: int) -> Self:
        """The month so many months later; earlier when negative."""
        count = self.year * 12 + self.month - 1 + months
        return type(self)(count // 12, count % 12 + 1)

    @property
    def end(self) -> datetime:
        """The first moment after it, in UTC."""
        after = self.plus(1)
        return datetime(after.year, after.month, 1, tzinfo=UTC)
