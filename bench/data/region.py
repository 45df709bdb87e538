"""The region of the benchmark: practices and pharmacies, the same for every engine."""

from collections.abc import Iterator
from datetime import time
from functools import cache
from pathlib import Path

import orjson

from bench.data.records import InputRecord, envelope, trace
from bench.fixed_job import switches
from runtime.messages.cloudevents import event_id
from runtime.messages.encoding import encode
from samples.codes import pharmacy_code, practice_code
from schemas import topics
from schemas.access import Party
from schemas.records.directory import (
    Approver,
    AutoApprove,
    Directory,
    Pharmacy,
    PharmacyEntry,
    Policy,
    Practice,
    PracticeEntry,
    Processing,
    System,
    SystemEntry,
)
from schemas.topic_lookup import topics_of_system
from schemas.topics import Topic

PRACTICES = 40
PHARMACIES = 50

PORTAL = "bench-portal"

OPEN = "Mo-Fr 08:00-17:30; PH off"

GAP_DAYS = 3650
"""After how long a medicine starts again: longer than the default, as the dates in the data stay the same."""


def practice_agb(number: int) -> str:
    """The code of a practice, counted from 0."""
    return practice_code(number)


def pharmacy_agb(number: int) -> str:
    """The code of a pharmacy, counted from 0."""
    return pharmacy_code(number)


@cache
def policy(*, review_everything: bool) -> Policy:
    """The policy of every practice, which says what `switches` says: no line needs an authorisation."""
    return Policy(
        auto_approve=AutoApprove.ALL_PLAIN,
        approver=Approver.ASSISTANT if review_everything else Approver.POLICY,
        restart_gap_days=GAP_DAYS,
    )


def directory(*, review_everything: bool) -> Directory:
    """Make the whole region. With `review_everything` no line is approved without a person."""
    its_policy = policy(review_everything=review_everything)
    return Directory(
        practices=tuple(_practice(number, its_policy) for number in range(PRACTICES)),
        pharmacies=tuple(_pharmacy(number) for number in range(PHARMACIES)),
    )


def with_portal(region: Directory) -> Directory:
    """Add the portal that sends orders over HTTP: it serves every practice.

    Only where orders come over HTTP, as ordering also reads the portal's topic.
    """
    portal = SystemEntry(
        name=PORTAL,
        kind=Party.PORTAL,
        contact="Servicedesk",
        practices=tuple(practice.agb for practice in region.practices),
    )
    return region.model_copy(update={"systems": (portal,)})


def practices(region: Directory) -> dict[str, Practice]:
    """The practices by AGB code, as on the directory's topic."""
    return {p.agb: Practice(**p.model_dump(), version=1) for p in region.practices}


def pharmacies(region: Directory) -> dict[str, Pharmacy]:
    """The pharmacies by AGB code, as on the directory's topic."""
    return {p.agb: Pharmacy(**p.model_dump(), version=1) for p in region.pharmacies}


def practice_records(region: Directory) -> Iterator[InputRecord]:
    """The practices as records of `directory.practices`."""
    return (_record(practice) for practice in practices(region).values())


def pharmacy_records(region: Directory) -> Iterator[InputRecord]:
    """The pharmacies as records of `directory.pharmacies`."""
    return (_record(pharmacy) for pharmacy in pharmacies(region).values())


def system_records(region: Directory) -> Iterator[InputRecord]:
    """The systems as records of `directory.systems`."""
    return (_record(System(**system.model_dump(), version=1)) for system in region.systems)


def system_topics(region: Directory) -> tuple[Topic, ...]:
    """The systems' input topics."""
    return tuple(topic for system in region.systems for topic in topics_of_system(system))


def pharmacy_topics(region: Directory) -> tuple[Topic, ...]:
    """The pharmacies' prescription topics; none in a region with `review_everything`."""
    if all(_reviews_everything(practice) for practice in region.practices):
        return ()
    return tuple(topics.prescriptions(pharmacy.agb) for pharmacy in region.pharmacies)


def write_for_peers(region: Directory, path: Path) -> Path:
    """Write the region for the peers' rules to a JSON file. Ours reads the directory's topics instead."""
    content = {
        "practices": {
            agb: {
                "version": practice.version,
                **switches(review_everything=_reviews_everything(practice)),
            }
            for agb, practice in practices(region).items()
        },
        "pharmacies": [pharmacy.agb for pharmacy in region.pharmacies],
    }
    path.write_bytes(orjson.dumps(content))
    return path


def _reviews_everything(practice: PracticeEntry) -> bool:
    return practice.policy.approver is not Approver.POLICY


def _record(entry: Practice | Pharmacy | System) -> InputRecord:
    key = entry.name if isinstance(entry, System) else entry.agb
    ce_id = event_id(entry.TYPE, key, entry.version)
    headers = envelope(entry.ce_type(), ce_id, "2026-11-02T08:00:00Z", key, trace(1, 1))
    return InputRecord(key.encode(), encode(entry), headers)


def _practice(number: int, policy: Policy) -> PracticeEntry:
    return PracticeEntry(
        agb=practice_agb(number),
        name=f"Huisartsenpraktijk {number + 1}",
        region="Lindewaard",
        list_size=4000,
        phone="0123-456710",
        opening_hours=OPEN,
        processing=Processing(cutoff=time(11), working_days=2, ready_from=time(15, 30)),
        policy=policy,
    )


def _pharmacy(number: int) -> PharmacyEntry:
    return PharmacyEntry(
        agb=pharmacy_agb(number),
        name=f"Apotheek {number + 1}",
        address=f"Dorpsstraat {number + 1}",
        city="Lindewaard",
        phone="0123-456720",
        opening_hours=OPEN,
        repeat_service=True,
    )
