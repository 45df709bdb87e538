"""The topic registry: every topic with its record types, retention, writers and readers.

Topic creation, access lists, AsyncAPI and documentation derive from it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from schemas.access import Party
from schemas.base import Body
from schemas.records.access import AccessRevoked, ProxyGrant
from schemas.records.audit import AuditSealed
from schemas.records.directory import Pharmacy, Practice, System
from schemas.records.medication import (
    MedicationImport,
    MedicationOverview,
    MedicationRepeatService,
    MedicationReview,
    MedicationSetStatus,
    MedicationSweep,
    MedicationUndo,
    MedicationVisit,
)
from schemas.records.medicines import MedicineList
from schemas.records.notifications import (
    MessageFailed,
    MessageQueued,
    MessageSent,
    PatientContacts,
    PickupMoved,
    PickupPromised,
)
from schemas.records.operators import (
    OperatorAction,
    OperatorErasure,
    OperatorParts,
    OperatorProgress,
    OperatorRebuild,
)
from schemas.records.orders import (
    OrderCancel,
    OrderCancelled,
    OrderDecided,
    OrderEscalated,
    OrderFulfilment,
    OrderLineDecided,
    OrderLineSignalled,
    OrderPlace,
    OrderReview,
    OrderTimer,
)
from schemas.records.prescriptions import (
    DispenseReported,
    PrescriptionApproved,
    PrescriptionWithdrawn,
)

SERVICES = ("ordering", "medication", "notification", "metrics")

PATIENT_PARTITIONS = 8
"""Partitions of each topic keyed by patient. Never change it once data exists: keys would move."""

_KIB = 1024
DEFAULT_MAX_BYTES = 1024 * _KIB
OVERVIEW_MAX_BYTES = 5120 * _KIB
"""Of topics with whole overviews: 200 medicines with long texts in any script take 4.3 MiB at most."""
LIST_MAX_BYTES = 4096 * _KIB
"""Of the lists of medicines: 120 groups with long texts in any script take 4 MiB at most."""
_DAY = timedelta(days=1)
_YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Topic:
    """One topic. `retention` None means compacted: the newest record of each key is kept for good.

    `max_bytes` limits one record (key, value and headers); the broker refuses a larger one.
    `writers` and `readers` may write and read it: services, kinds of systems, and the operator, who may do all.
    What a service consumes: its `INPUTS`, `OUTPUT_TOPIC` and global tables. Each system of the kind `systems`
    has a topic of its own with the same records (`of_system`).
    """

    name: str
    about: str
    bodies: tuple[type[Body], ...]
    writers: frozenset[str]
    readers: frozenset[str]
    retention: timedelta | None
    partitions: int = PATIENT_PARTITIONS
    max_bytes: int = DEFAULT_MAX_BYTES
    systems: Party | None = None

    @property
    def compacted(self) -> bool:
        """Whether the broker keeps only the newest record of each key; only then is a tombstone allowed."""
        return self.retention is None

    @property
    def types(self) -> dict[str, type[Body]]:
        """The body types, by CloudEvents type."""
        return {body.ce_type(): body for body in self.bodies}

    @property
    def config(self) -> dict[str, str]:
        """The topic's configuration on the broker."""
        kept = (
            {"cleanup.policy": "compact"}
            if self.retention is None
            else {
                "cleanup.policy": "delete",
                "retention.ms": str(int(self.retention.total_seconds() * 1000)),
            }
        )
        return kept | {
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(self.max_bytes),
        }


def _topic(
    name: str,
    about: str,
    *bodies: type[Body],
    writers: Iterable[str],
    readers: Iterable[str],
    retention: timedelta | None,
    partitions: int = PATIENT_PARTITIONS,
    max_bytes: int = DEFAULT_MAX_BYTES,
    systems: Party | None = None,
) -> Topic:
    parties = frozenset(writers), frozenset(readers)
    return Topic(name, about, bodies, *parties, retention, partitions, max_bytes, systems)


def _of_operators(
    name: str,
    about: str,
    body: type[Body],
    readers: Iterable[str] = SERVICES,
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> Topic:
    """A small table that operators write and services keep in memory."""
    parties = frozenset({"operator"}), frozenset(readers)
    return Topic(name, about, (body,), *parties, None, partitions=1, max_bytes=max_bytes)


ORDERS_REQUESTS = _topic(
    "orders.requests",
    "Orders and cancellations, as ordering's HTTP API and portals send them.",
    OrderPlace,
    OrderCancel,
    writers=("ordering",),
    readers=("ordering",),
    retention=30 * _DAY,
    systems=Party.PORTAL,
)
ORDERS_REVIEWS = _topic(
    "orders.reviews",
    "Decisions of persons on lines in review, and timers that have fired.",
    OrderReview,
    OrderTimer,
    writers=("ordering",),
    readers=("ordering",),
    retention=30 * _DAY,
)
ORDERS_EVENTS = _topic(
    "orders.events",
    "Decisions on and later events of every order, numbered per order.",
    OrderDecided,
    OrderLineDecided,
    OrderCancelled,
    OrderLineSignalled,
    OrderEscalated,
    OrderFulfilment,
    writers=("ordering",),
    readers=("notification", "metrics", "medication"),
    retention=5 * _YEAR,
)
DISPENSE_REPORTS = _topic(
    "dispense.reports",
    "Progress reports of pharmacies on prescriptions.",
    DispenseReported,
    writers=("ordering",),
    readers=("ordering", "notification"),
    retention=30 * _DAY,
    systems=Party.PHARMACY_SYSTEM,
)
MEDICATION_CHANGES = _topic(
    "medication.changes",
    "Commands that change a patient's medication overview.",
    MedicationImport,
    MedicationSetStatus,
    MedicationVisit,
    MedicationReview,
    MedicationRepeatService,
    MedicationUndo,
    MedicationSweep,
    writers=("medication",),
    readers=("medication",),
    retention=90 * _DAY,
    systems=Party.PRACTICE_SYSTEM,
    max_bytes=OVERVIEW_MAX_BYTES,
)
MEDICATION_STATUS = _topic(
    "medication.status",
    "The whole current medication overview of each patient.",
    MedicationOverview,
    writers=("medication",),
    readers=("ordering", "medication"),
    retention=None,
    max_bytes=OVERVIEW_MAX_BYTES,
)
NOTIFICATIONS_EVENTS = _topic(
    "notifications.events",
    "Messages to patients and pickup windows promised.",
    MessageQueued,
    MessageSent,
    MessageFailed,
    PickupPromised,
    PickupMoved,
    writers=("notification",),
    readers=("metrics",),
    retention=5 * _YEAR,
)
PATIENTS_CONTACTS = _topic(
    "patients.contacts",
    "How each patient wants to be reached.",
    PatientContacts,
    writers=("notification",),
    readers=("notification",),
    retention=None,
)
DIRECTORY_PRACTICES = _of_operators(
    "directory.practices", "GP practices: hours, rules, policy, region.", Practice
)
DIRECTORY_PHARMACIES = _of_operators(
    "directory.pharmacies", "Pharmacies: hours, address.", Pharmacy
)
DIRECTORY_SYSTEMS = _of_operators(
    "directory.systems",
    "Outside systems: portals, practice systems, pharmacy systems, and what each serves.",
    System,
)
DIRECTORY_MEDICINES = _of_operators(
    "directory.medicines",
    "Lists of medicine groups by ATC code: who approves a repeat, what must not stop, and why.",
    MedicineList,
    readers=("ordering",),
    max_bytes=LIST_MAX_BYTES,
)
ACCESS_REVOCATIONS = _of_operators(
    "access.revocations",
    "Whose tokens are refused, and up to when they were issued.",
    AccessRevoked,
)
ACCESS_PROXIES = _topic(
    "access.proxies",
    "Who stands in for which patient, and until when: what a proxy's token is checked against.",
    ProxyGrant,
    writers=("notification",),
    readers=SERVICES,
    retention=None,
    partitions=1,
)
AUDIT_SEALS = _topic(
    "audit.seals",
    "How far the audit trail of each process of a service has come.",
    AuditSealed,
    writers=SERVICES,
    readers=("operator",),
    retention=None,
    partitions=1,
)
OPERATORS_AUDIT = _topic(
    "operators.audit",
    "What operators did to dead letters, projections, services' progress, people's data and old months.",
    OperatorAction,
    OperatorProgress,
    OperatorRebuild,
    OperatorErasure,
    OperatorParts,
    writers=("operator",),
    readers=("operator",),
    retention=5 * _YEAR,
    partitions=1,
)


def dead_letters(service: str) -> Topic:
    """The topic for the records that a service could not handle, unchanged."""
    # A dead letter is the whole record with additional headers, so it may be larger.
    return Topic(
        f"{service}.dead-letters",
        f"Records that {service} could not handle, unchanged, with the reason, position and time.",
        bodies=(),
        writers=frozenset({service}),
        readers=frozenset({"operator"}),
        retention=30 * _DAY,
        max_bytes=OVERVIEW_MAX_BYTES + 1024 * _KIB,
    )


PRESCRIPTIONS_PREFIX = "prescriptions.approved."


def prescriptions(pharmacy: str) -> Topic:
    """The topic of one pharmacy: Kafka's access lists are per topic, so each pharmacy has one.

    `pharmacy` is an 8-digit AGB code.
    """
    return Topic(
        f"{PRESCRIPTIONS_PREFIX}{pharmacy}",
        "Prescriptions approved for, or withdrawn from, one pharmacy.",
        (PrescriptionApproved, PrescriptionWithdrawn),
        writers=frozenset({"ordering"}),
        readers=frozenset({Party.PHARMACY_SYSTEM}),
        retention=90 * _DAY,
        partitions=1,
    )


ALL: tuple[Topic, ...] = (
    ORDERS_REQUESTS,
    ORDERS_REVIEWS,
    ORDERS_EVENTS,
    DISPENSE_REPORTS,
    MEDICATION_CHANGES,
    MEDICATION_STATUS,
    NOTIFICATIONS_EVENTS,
    PATIENTS_CONTACTS,
    DIRECTORY_PRACTICES,
    DIRECTORY_PHARMACIES,
    DIRECTORY_SYSTEMS,
    DIRECTORY_MEDICINES,
    ACCESS_REVOCATIONS,
    ACCESS_PROXIES,
    AUDIT_SEALS,
    OPERATORS_AUDIT,
    *(dead_letters(service) for service in SERVICES),
)
"""Every topic except those of pharmacies and of systems, which are created with the directory's entries."""


def all_bodies() -> dict[str, type[Body]]:
    """Every record type, by CloudEvents type."""
    topics = (*ALL, prescriptions("02999000"))
    return {name: body for topic in topics for name, body in topic.types.items()}
