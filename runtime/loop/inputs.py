"""The input topics of a service: those that it names, and one of each system that the directory names."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.records.directory import System
from schemas.topic_lookup import of_system
from schemas.topics import Topic


@dataclass(frozen=True)
class Inputs:
    """The topics that a service reads. `systems` is the directory's table, which may change at any time."""

    plain: tuple[Topic, ...]
    systems: Mapping[str, System] = field(default_factory=dict)

    @property
    def topics(self) -> tuple[Topic, ...]:
        """All input topics now."""
        return (*self.plain, *self.of_systems)

    @property
    def of_systems(self) -> tuple[Topic, ...]:
        """The topics of systems now. A removed system's topic stays: its last records are handled too."""
        return tuple(
            of_system(topic, name)
            for topic in self.plain
            for name, system in sorted(self.systems.items())
            if topic.systems == system.kind
        )

    @property
    def compacted(self) -> set[str]:
        """The names of the compacted topics."""
        return {topic.name for topic in self.plain if topic.compacted}
