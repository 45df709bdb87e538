"""What the directory's outside systems serve."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.records.directory import Practice, System


@dataclass(frozen=True)
class Systems:
    """The systems by name, and the practices, which know their region. Both are global tables."""

    rows: Mapping[str, System] = field(default_factory=dict)
    practices: Mapping[str, Practice] = field(default_factory=dict)

    def active(self, name: str) -> System | None:
        """The system with this name; None when there is none, or it was removed."""
        system = self.rows.get(name)
        return None if system is None or system.removed_at is not None else system

    def serves_practice(self, name: str, practice: str) -> bool:
        """Whether this system serves a practice, or its whole region. Of a removed one: whether it did."""
        system = self.rows.get(name)
        if system is None:
            return False
        entry = self.practices.get(practice)
        return practice in system.practices or (
            entry is not None and entry.region in system.regions
        )

    def serves_pharmacy(self, name: str, pharmacy: str) -> bool:
        """Whether this system serves a pharmacy. Of a removed one: whether it did."""
        system = self.rows.get(name)
        return system is not None and pharmacy in system.pharmacies
