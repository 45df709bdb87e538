"""What a service reads: its own topics, and one of each system of the right kind."""

from datetime import UTC, datetime

from runtime.loop.inputs import Inputs
from runtime.messages.message import Message
from runtime.messages.parser import Parser, Unreadable
from runtime.systems import Systems
from schemas.access import Party
from schemas.records.directory import System
from schemas.topic_lookup import of_system, system_of
from schemas.topics import MEDICATION_CHANGES, MEDICATION_STATUS, ORDERS_REQUESTS
from tests.harness.made import an_import, an_order
from tests.harness.records import delivered
from tests.unit.notification.made import a_practice
from tests.unit.schemas.test_grants import a_system

PRACTICE_ENTRY = a_practice()
PORTAL = a_system("mijnzorg", Party.PORTAL)
HIS = a_system("his", Party.PRACTICE_SYSTEM)


def test_a_system_that_the_directory_names_is_read_from_then_on() -> None:
    """Given a directory without systems; when one is added; then its topic is among the inputs."""
    systems: dict[str, System] = {}
    inputs = Inputs((ORDERS_REQUESTS, MEDICATION_STATUS), systems)
    assert inputs.topics == (ORDERS_REQUESTS, MEDICATION_STATUS)
    systems |= {"mijnzorg": PORTAL, "his": HIS}
    assert [topic.name for topic in inputs.of_systems] == ["orders.requests.mijnzorg"]
    assert {topic.partitions for topic in inputs.of_systems} == {ORDERS_REQUESTS.partitions}
    assert inputs.compacted == {"medication.status"}


def test_the_topic_of_a_removed_system_is_read_to_its_end() -> None:
    removed = PORTAL.model_copy(update={"removed_at": datetime.now(UTC)})
    assert Inputs((ORDERS_REQUESTS,), {"mijnzorg": removed}).of_systems


def test_a_systems_record_is_parsed_as_on_the_plain_topic() -> None:
    parser = Parser.of([ORDERS_REQUESTS])
    record = delivered(of_system(ORDERS_REQUESTS, "mijnzorg"), an_order("pat_anna0001"))
    parsed = parser.parse(record)
    assert isinstance(parsed, Message)
    assert system_of(parsed.topic) == "mijnzorg"
    other = delivered(
        of_system(ORDERS_REQUESTS, "mijnzorg"),
        an_import("pat_anna0001"),
        partition=record.partition,
    )
    assert parser.parse(other) == Unreadable(
        "unknown_type", "orders.requests.mijnzorg carries no such ce_type"
    )


def test_a_system_serves_practices_by_code_or_by_region_and_pharmacies_by_code() -> None:
    region = a_system("regio", Party.PORTAL, practices=(), regions=(PRACTICE_ENTRY.region,))
    apo = a_system("apo", Party.PHARMACY_SYSTEM)
    systems = Systems(
        {s.name: s for s in (PORTAL, region, apo)}, {PRACTICE_ENTRY.agb: PRACTICE_ENTRY}
    )
    assert systems.serves_practice("mijnzorg", "01999001")
    assert not systems.serves_practice("mijnzorg", "01999002")
    assert systems.serves_practice("regio", PRACTICE_ENTRY.agb)
    assert not systems.serves_practice("regio", "01999099")
    assert not systems.serves_practice("nobody", "01999001")
    served = systems.served_by("apo")
    assert served is not None
    assert served.has_pharmacy("02999001")
    assert not served.has_pharmacy("02999002")
    assert not served.has_practice("01999001")
    of_region = systems.served_by("regio")
    assert of_region is not None
    assert of_region.practices == (PRACTICE_ENTRY.agb,)


def test_no_system_is_named_by_a_topic_of_ours() -> None:
    for topic in (ORDERS_REQUESTS, MEDICATION_CHANGES, MEDICATION_STATUS):
        assert system_of(topic.name) is None
    assert system_of("orders.events.mijnzorg") is None
    assert system_of("medication.changes.his") == "his"
