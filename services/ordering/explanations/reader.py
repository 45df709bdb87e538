"""For whom something is told."""

from dataclasses import dataclass
from typing import Self

from schemas.access import Party
from schemas.reasons import Language

_PRACTICE = (Party.ASSISTANT, Party.GP, Party.OPERATOR)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads it in which language: a practice reads all of it, a patient what concerns them."""

    language: Language
    of_practice: bool

    @classmethod
    def of(cls, role: Party, language: Language) -> Self:
        """Somebody in this role. A portal shows patients what it reads."""
        return cls(language, role in _PRACTICE)
