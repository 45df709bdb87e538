"""Access lists: each party gets what the registry says, and no prefix covers a neighbour."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.access import Party
from schemas.grants import Grant, Operation, Resource, grants, services_grants, system_grants
from schemas.records.directory import System
from schemas.topic_lookup import find_topic
from schemas.topics import ALL, SERVICES


def a_system(name: str, kind: Party, **changes: Any) -> System:
    """A system that serves one practice or pharmacy."""
    serves = (
        {"pharmacies": ("02999001",)}
        if kind == Party.PHARMACY_SYSTEM
        else {"practices": ("01999001",)}
    )
    fields: dict[str, Any] = {"name": name, "kind": kind, "contact": "Beheer", "version": 1}
    return System(**(fields | serves | changes))


PORTAL = a_system("mijnzorg", Party.PORTAL)
PRACTICE_SYSTEM = a_system("his", Party.PRACTICE_SYSTEM)
PHARMACY_SYSTEM = a_system("apo", Party.PHARMACY_SYSTEM)


def named(found: Any, principal: str) -> set[str]:
    """What a principal may do: `write orders.requests.mijnzorg`, with a star after a prefix."""
    return {
        f"{g.operation.lower()} {g.name}{'*' * g.prefix}" for g in found if g.principal == principal
    }


@pytest.mark.parametrize(
    ("system", "may"),
    [
        (PORTAL, {"write orders.requests.mijnzorg"}),
        (PRACTICE_SYSTEM, {"write medication.changes.his"}),
        (
            PHARMACY_SYSTEM,
            {
                "write dispense.reports.apo",
                "read prescriptions.approved.02999001",
                "read apo.*",
            },
        ),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_system_writes_its_own_topic_and_a_pharmacy_system_reads_its_pharmacies(
    system: System, may: set[str]
) -> None:
    assert named(system_grants(system), system.name) == may
    assert {g.principal for g in system_grants(system)} == {system.name}


def test_a_removed_system_may_do_nothing() -> None:
    """Given a system that is removed; then no access list is wanted, so all it has are left over."""
    removed = PHARMACY_SYSTEM.model_copy(update={"removed_at": datetime.now(UTC)})
    assert [*system_grants(removed)] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reads_and_writes_what_the_registry_says(service: str) -> None:
    own = [g for g in services_grants() if g.principal == service and not g.prefix]
    topics = [g for g in own if g.resource is Resource.TOPIC]
    assert {g.name for g in topics if g.operation is Operation.WRITE} == {
        topic.name for topic in ALL if service in topic.writers
    }
    assert {g.name for g in topics if g.operation is Operation.READ} == {
        topic.name for topic in ALL if service in topic.readers | topic.writers
    }
    assert [g for g in own if g.resource is Resource.GROUP] == [
        Grant(service, Resource.GROUP, service, Operation.READ)
    ]


def test_only_ordering_and_medication_have_access_to_topics_of_all_systems() -> None:
    prefixes = {(g.principal, g.name) for g in services_grants() if g.prefix}
    assert prefixes == {
        ("ordering", "orders.requests."),
        ("ordering", "dispense.reports."),
        ("notification", "dispense.reports."),
        ("medication", "medication.changes."),
        ("ordering", "prescriptions.approved."),
    }


def test_no_prefix_is_empty_or_covers_a_neighbour() -> None:
    """Given systems `apo` and `apo-noord`; then the prefixes of neither match a name of the other."""
    neighbour = a_system("apo-noord", Party.PHARMACY_SYSTEM)
    wanted = grants((PHARMACY_SYSTEM, neighbour, PORTAL, PRACTICE_SYSTEM))
    prefixes = [g for g in wanted if g.prefix]
    assert prefixes
    assert all(re.fullmatch(r"[a-z.-]+\.", g.name) for g in prefixes)
    of_groups = {g.principal: g.name for g in prefixes if g.resource is Resource.GROUP}
    assert not "apo-noord-1".startswith(of_groups["apo"])
    assert not "apo-noord.1".startswith(of_groups["apo"])


@pytest.mark.parametrize(
    "name", ["", "*", "a", "apo.noord", "Apo", "apo_noord", "-apo", "apo-", "1apo", "a" * 41]
)
def test_a_name_that_could_be_mistaken_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        a_system(name, Party.PORTAL)


def test_every_topic_is_found_by_its_name() -> None:
    assert all(find_topic(topic.name) is topic for topic in ALL)
    mine = find_topic("orders.requests.mijnzorg")
    assert mine is not None
    assert mine.writers == {"ordering", "portal"}
    assert find_topic("prescriptions.approved.02999001") is not None
    for other in ("orders.events.mijnzorg", "orders", "orders.requests.", "", "__consumer_offsets"):
        assert find_topic(other) is None
