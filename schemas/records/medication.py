"""A patient's medication overview, and the commands that change it."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, TypeAlias
from uuid import UUID

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_serializer,
)
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError, to_json

from schemas.base import (
    Actor,
    Atc,
    Body,
    Many,
    Model,
    Name,
    PatientId,
    PracticeAgb,
    Prk,
    RiskClass,
    Role,
    SystemName,
    Text,
    UtcDatetime,
    Version,
)
from schemas.numbers import WHOLE, Quantity


def _on_the_calendar(written: str) -> str:
    """Raise ValueError for a day that its month does not have."""
    if len(written) == len("1998-05-31"):
        date.fromisoformat(written)
    return written


PartialDate = Annotated[
    str,
    StringConstraints(
        pattern=r"^([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
        r"(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"
    ),
    AfterValidator(_on_the_calendar),
]
"""A date whose day, or day and month, may be unknown (FHIR's `date`): `1998-05-31`, `1998-05`, `1998`."""


class Status(StrEnum):
    """The status of a medicine in an overview. Only `chronic` medication can be ordered."""

    CHRONIC = "chronic"
    TEMPORARY = "temporary"
    STOPPED = "stopped"


class Authorisation(Model):
    """A GP allows repeats of a medicine for this patient, from `on` until `until`, both days included.

    `repeats` is how many orders it is good for; None: any number until that day. Days are Europe/Amsterdam.
    """

    by: Literal[Role.GP]
    on: date
    until: date
    repeats: Annotated[int, Field(ge=0, le=1000), WHOLE] | None = None


class Dispensed(Model):
    """What a pharmacy supplied on a day (Europe/Amsterdam); for `days` days, where that is known."""

    on: date
    quantity: Quantity
    days: Annotated[int, Field(ge=1, le=3650), WHOLE] | None = None


class Medication(Model):
    """One entry of an overview; `quantity` in `unit` is what is usually supplied, for `days_supply` days.

    A medicine may have several: two dosages on different days, or a course that was stopped and a later one.
    `atc` says to which group of medicines it belongs; a `risk_class` here counts instead of the group's.
    `control_due` is when its next check is due, such as of the blood. A `specialist` prescribes it, not the
    practice. `weekly_packing`: the pharmacy packs it by the week. `dispensed` are the latest supplies.
    """

    prk: Prk
    medicine: Name
    status: Status
    dosage: Text
    quantity: Quantity
    unit: Name
    days_supply: Annotated[int, Field(ge=1, le=3650), WHOLE] | None = None
    last_ordered_on: PartialDate | None = None
    prescribed_on: PartialDate | None = None
    authorisation: Authorisation | None = None
    high_risk: bool = False
    repeat_service: bool = False
    reviewed_at: UtcDatetime | None = None
    atc: Atc | None = None
    risk_class: RiskClass | None = None
    control_due: date | None = None
    specialist: bool = False
    weekly_packing: bool = False
    dispensed: Annotated[Many[Dispensed], Field(max_length=6)] = ()


MAX_ENTRIES = 200

Medications = Annotated[Many[Medication], Field(max_length=MAX_ENTRIES)]


_FieldName = Annotated[str, StringConstraints(max_length=20, pattern=r"^[a-z_]+$")]


class EntryFlaw(Model):
    """An entry that the practice's system sent with wrong or missing fields; never the wrong values themselves.

    `position` is 1 for the first entry of the list that was sent. The overview has a `kept` entry without those
    fields, and lacks any other. `prk` and `medicine` are None when they are wrong themselves.
    """

    position: Annotated[int, Field(ge=1, le=MAX_ENTRIES)]
    prk: Prk | None = None
    medicine: Name | None = None
    fields: Annotated[Many[_FieldName], Field(max_length=len(Medication.model_fields))]
    kept: bool


Flaws = Annotated[Many[EntryFlaw], Field(max_length=MAX_ENTRIES)]

_DISPENSABLE = frozenset(
    {
        *("days_supply", "last_ordered_on", "prescribed_on", "reviewed_at"),
        *("authorisation", "dispensed"),
    }
)
"""Fields that an entry can do without: None only says that they are not known.

Without another field it would say something else: without `high_risk`, that it is no high-risk medicine.
Without `authorisation` a person decides.
"""


class FlawedEntry(Model):
    """A sent entry with wrong or missing fields: the other fields as they were sent, and the names of those.

    It is written with `{}` for each of those: no field takes that, so the next reader finds the same flaws.
    """

    readable: dict[str, Any]
    wrong: tuple[str, ...]

    @property
    def kept(self) -> bool:
        """Whether the entry is of use without its wrong fields."""
        return _DISPENSABLE.issuperset(self.wrong)

    def without_flaws(self) -> Medication | None:
        """The entry without its wrong fields; None when it cannot do without them."""
        return Medication.model_validate_json(to_json(self.readable)) if self.kept else None

    def flaw(self, position: int) -> EntryFlaw:
        """What the overview says about this entry, the `position`th that was sent."""
        return EntryFlaw(
            position=position,
            prk=self.readable.get("prk"),
            medicine=self.readable.get("medicine"),
            fields=self.wrong,
            kept=self.kept,
        )

    @model_serializer
    def _as_sent(self) -> dict[str, Any]:
        return self.readable | {name: {} for name in self.wrong}


def _read_entry(sent: Any, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """Read an entry of a JSON body; one with flaws becomes a `FlawedEntry`."""
    if info.mode != "json":
        return read(sent)
    fields = sent if isinstance(sent, dict) else {}
    known = {name: fields[name] for name in Medication.model_fields if name in fields}
    try:
        # `read` takes Python's values: strictly read, text is no date then.
        return Medication.model_validate_json(to_json(known))
    except ValidationError as error:
        wrong = {each["loc"][0] for each in error.errors(include_url=False, include_context=False)}
    return FlawedEntry(
        readable={name: value for name, value in known.items() if name not in wrong},
        wrong=tuple(name for name in Medication.model_fields if name in wrong),
    )


SentEntry: TypeAlias = Medication | SkipJsonSchema[FlawedEntry]


def _some_usable(
    entries: tuple[Medication | FlawedEntry, ...],
) -> tuple[Medication | FlawedEntry, ...]:
    """Raise an error for a list of which no entry is of use: then the list is wrong, not its entries."""
    flawed = [entry for entry in entries if isinstance(entry, FlawedEntry) and not entry.kept]
    if entries and len(flawed) == len(entries):
        raise PydanticCustomError(
            "no_usable_entry",
            "No entry can be used; the first has a wrong or no {fields}",
            {"fields": ", ".join(flawed[0].wrong)},
        )
    return entries


SentMedications = Annotated[
    Many[Annotated[SentEntry, WrapValidator(_read_entry)]],
    Field(max_length=MAX_ENTRIES),
    AfterValidator(_some_usable),
]
"""A list as a practice's system sends it: an entry's flaw does not cost the others."""


class Change(Model):
    """The change that led to this version of the overview.

    `through` is the outside system that it came through; absent for a person's own request. The HTTP API leaves
    it out.
    """

    change_id: UUID
    kind: Literal["import", "set_status", "review", "sweep", "undo", "repeat_service", "ordered"]
    by: Actor
    reason: Text | None = None
    through: SystemName | None = Field(default=None, exclude_if=lambda system: system is None)


class MedicationOverview(Body):
    """The whole current overview of one patient; `version` rises by one with every change.

    `flaws` are those of the list that the practice's system sent last; absent when there are none.
    """

    TYPE: ClassVar[str] = "medication.overview.v1"

    patient: PatientId
    practice: PracticeAgb
    version: Version
    changed_at: UtcDatetime
    change: Change
    medications: Medications
    flaws: Flaws = Field(default=(), exclude_if=lambda flaws: not flaws)


class _Command(Body):
    change_id: UUID
    patient: PatientId
    by: Actor
    reason: Text | None = None


class MedicationImport(_Command):
    """The practice's system sends the whole overview of one patient; medicines that are absent are removed.

    An entry with a wrong or missing field does not cost the others: the overview lists it in `flaws`.
    """

    TYPE: ClassVar[str] = "medication.import.v1"

    practice: PracticeAgb
    medications: SentMedications


class MedicationSetStatus(_Command):
    """Set the status of one medicine, by somebody of the practice.

    Of several entries of a medicine, those that are not stopped change; when all are stopped, all change.
    """

    TYPE: ClassVar[str] = "medication.set-status.v1"

    prk: Prk
    status: Status


class MedicationVisit(_Command):
    """The patient visits the practice: the overview goes on the review worklist."""

    TYPE: ClassVar[str] = "medication.visit.v1"

    practice: PracticeAgb
    visited_at: UtcDatetime


class ReviewedStatus(Model):
    """The status of one medicine after a review."""

    prk: Prk
    status: Status


class MedicationReview(_Command):
    """Somebody of the practice reviewed the overview at a visit."""

    TYPE: ClassVar[str] = "medication.review.v1"

    statuses: Annotated[Many[ReviewedStatus], Field(max_length=200)]


class MedicationRepeatService(_Command):
    """A medicine enters or leaves the pharmacy's repeat service."""

    TYPE: ClassVar[str] = "medication.repeat-service.v1"

    prk: Prk
    enrolled: bool


class MedicationUndo(_Command):
    """Undo an earlier change."""

    TYPE: ClassVar[str] = "medication.undo.v1"

    undoes: UUID


class MedicationSweep(_Command):
    """Make chronic medication temporary that, at `as_of`, has not been ordered for a long time."""

    TYPE: ClassVar[str] = "medication.sweep.v1"

    as_of: UtcDatetime
