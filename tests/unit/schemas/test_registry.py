"""Invariants of the topic registry."""

import pytest

from schemas.base import Body
from schemas.contracts.snapshots.topics import EVERY_TOPIC, PHARMACY
from schemas.topics import ALL, PATIENT_PARTITIONS, SERVICES, Topic, all_bodies, prescriptions


def _all_record_types(body: type[Body] = Body) -> set[type[Body]]:
    below = {found for child in body.__subclasses__() for found in _all_record_types(child)}
    return below | (
        {body} if "TYPE" in vars(body) and body.__module__.startswith("schemas") else set()
    )


def test_topic_names_are_unique() -> None:
    names = [topic.name for topic in EVERY_TOPIC]
    assert len(names) == len(set(names))


def test_every_record_type_is_on_exactly_one_topic() -> None:
    carried = [body for topic in EVERY_TOPIC for body in topic.bodies]
    assert len(carried) == len(set(carried))
    assert set(carried) == _all_record_types() == set(all_bodies().values())


def test_type_names_are_unique_and_carry_a_version() -> None:
    names = [body.TYPE for body in all_bodies().values()]
    assert len(names) == len(set(names))
    assert all(name.rpartition(".")[2] == "v1" for name in names)


@pytest.mark.parametrize("topic", EVERY_TOPIC, ids=lambda topic: topic.name)
def test_all_records_of_a_topic_have_the_same_key_which_is_a_required_field(topic: Topic) -> None:
    assert len({body.KEY for body in topic.bodies}) <= 1
    for body in topic.bodies:
        assert body.model_fields[body.KEY].is_required()


def test_topics_keyed_by_patient_that_a_service_reads_have_equal_partitions() -> None:
    keyed = [t for t in EVERY_TOPIC if any(body.KEY == "patient" for body in t.bodies)]
    read = [t for t in keyed if t.readers & set(SERVICES)]
    assert {topic.partitions for topic in read} == {PATIENT_PARTITIONS}
    assert len(read) >= 8


def test_a_pharmacy_has_a_topic_of_its_own_with_one_partition() -> None:
    topic = prescriptions("02999345")
    assert topic.name == "prescriptions.approved.02999345"
    assert topic.partitions == 1
    assert topic.readers == {"pharmacy-system"}
    assert prescriptions(PHARMACY) in EVERY_TOPIC


@pytest.mark.parametrize("topic", EVERY_TOPIC, ids=lambda topic: topic.name)
def test_a_topic_is_either_compacted_or_has_a_retention(topic: Topic) -> None:
    kept = topic.config.get("retention.ms")
    assert topic.config["cleanup.policy"] == ("compact" if topic.compacted else "delete")
    assert (kept is None) is topic.compacted
    assert topic.config["message.timestamp.type"] == "LogAppendTime"


def test_every_topic_has_a_writer_and_a_reader() -> None:
    assert all(topic.writers and topic.readers for topic in EVERY_TOPIC)


def test_every_service_has_dead_letters_with_room_for_any_record() -> None:
    largest = max(topic.max_bytes for topic in ALL if topic.bodies)
    for service in SERVICES:
        [letters] = [t for t in ALL if t.name == f"{service}.dead-letters"]
        assert letters.max_bytes > largest


def test_no_record_type_has_a_field_that_identifies_a_person() -> None:
    forbidden = {"bsn", "birth_date", "surname", "first_name", "email"}
    for body in all_bodies().values():
        assert not forbidden & set(body.model_fields)
