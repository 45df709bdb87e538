"""What a practice system may change: only overviews of practices that it serves."""

import pytest

from runtime.loop.handler import Done, Rejected
from runtime.messages.message import Message
from runtime.messages.parser import Parser
from runtime.systems import Systems
from schemas.access import Party
from schemas.base import Body
from schemas.records.medication import Status
from schemas.topic_lookup import of_system
from schemas.topics import MEDICATION_CHANGES
from services.medication.handlers import MedicationHandler, Work
from tests.harness.made import an_import
from tests.harness.records import delivered, envelope
from tests.unit.medication.story import ANNA, given, set_status
from tests.unit.schemas.test_grants import a_system

HIS = a_system("his", Party.PRACTICE_SYSTEM)
OTHER = a_system("ander-his", Party.PRACTICE_SYSTEM, practices=("01999002",))
HANDLER = MedicationHandler(Systems({"his": HIS, "ander-his": OTHER}))


def handled(body: Body, system: str | None, work: Work, through: str = "") -> Done | Rejected:
    """Handle a record of this system, or of our API; `through` is the system that its header names."""
    topic = of_system(MEDICATION_CHANGES, system) if system else MEDICATION_CHANGES
    headers = envelope(type(body), ce_through=through)
    parsed = Parser.of([MEDICATION_CHANGES]).parse(delivered(topic, body, headers=headers))
    assert isinstance(parsed, Message)
    return HANDLER.handle(parsed, work)


def test_a_practice_system_imports_for_the_practices_that_it_serves() -> None:
    assert isinstance(handled(an_import(ANNA), "his", Work({})), Done)
    assert handled(an_import(ANNA), "ander-his", Work({})) == Rejected("not_served")


def test_another_change_is_judged_by_the_practice_of_the_overview() -> None:
    work = given(an_import(ANNA)).work
    assert handled(set_status(Status.TEMPORARY), "ander-his", work) == Rejected("not_served")
    assert isinstance(handled(set_status(Status.TEMPORARY), "his", work), Done)


def test_a_change_of_a_patient_without_overview_is_refused_for_that() -> None:
    assert handled(set_status(Status.TEMPORARY), "ander-his", Work({})) == Rejected(
        "unknown_patient"
    )


@pytest.mark.parametrize(
    ("system", "named", "kept"),
    [("his", "ander-his", "his"), (None, "his", "his"), (None, "", None)],
    ids=["its topic, named another", "our API", "a person"],
)
def test_the_system_that_a_change_came_through_is_in_the_overview_and_its_history(
    system: str | None, named: str, kept: str | None
) -> None:
    work = Work({})
    handled(an_import(ANNA), system, work, named)
    overview = work.patient(ANNA).overview
    assert overview is not None
    assert overview.change.through == kept
    assert [entry.change.through for entry in work.history] == [kept]


def test_a_change_sent_over_http_and_on_the_systems_topic_is_one_change() -> None:
    work, change = Work({}), an_import(ANNA)
    handled(change, None, work, through="his")
    assert handled(change, "his", work) == Done()
