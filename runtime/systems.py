"""What the directory's outside systems serve."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.records.directory import Practice, System


@dataclass(frozen=True, slots=True)
class Served:
    """Whom one system serves: practices, by code or by region, and pharmacies."""

    system: System
    entries: Mapping[str, Practice]
    """The directory's practices, which know their region."""

    def has_practice(self, practice: str | None) -> bool:
        """Whether it serves this practice."""
        if practice in self.system.practices:
            return True
        entry = self.entries.get(practice) if practice and self.system.regions else None
        return entry is not None and entry.region in self.system.regions

    def has_pharmacy(self, pharmacy: str | None) -> bool:
        """Whether it serves this pharmacy."""
        return pharmacy in self.system.pharmacies

    @property
    def practices(self) -> tuple[str, ...]:
        """The codes of all practices that it serves."""
        regions = self.system.regions
        in_region = (p.agb for p in self.entries.values() if p.region in regions) if regions else ()
        return (*self.system.practices, *in_region)


@dataclass(frozen=True, slots=True)
class Systems:
    """The systems by name, and the practices. Both are global tables."""

    rows: Mapping[str, System] = field(default_factory=dict)
    practices: Mapping[str, Practice] = field(default_factory=dict)

    def served_by(self, name: str) -> Served | None:
        """Whom a system serves, or served until it was removed; None when it never was in the directory."""
        system = self.rows.get(name)
        return None if system is None else Served(system, self.practices)

    def serves_practice(self, name: str, practice: str) -> bool:
        """Whether this system serves a practice. Of a removed one: whether it did."""
        served = self.served_by(name)
        return served is not None and served.has_practice(practice)
