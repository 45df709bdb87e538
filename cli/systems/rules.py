"""What a system's entry must be beyond its schema."""

from schemas.access import Party
from schemas.records.directory import SystemEntry
from schemas.topics import SERVICES

RESERVED = frozenset({*SERVICES, *Party, "broker"})
"""Names of our own in Kafka, and of roles: a system with one of them would be taken for it."""


def wrong_system(entry: SystemEntry) -> str | None:
    """Say what is wrong with an entry; None when nothing is."""
    if entry.name in RESERVED:
        return f"{entry.name} is a name of our own: choose another"
    of_practices = bool(entry.practices or entry.regions)
    if entry.kind == Party.PHARMACY_SYSTEM:
        if of_practices or not entry.pharmacies:
            return "a pharmacy system serves pharmacies, at least one, and nothing else"
    elif entry.pharmacies or not of_practices:
        return f"a {entry.kind} serves practices or regions, at least one, and nothing else"
    return None
