"""The AsyncAPI documents are valid and complete, and describe the records that are really on Kafka."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

from runtime.messages.cloudevents import outgoing
from runtime.messages.dead_letters import dead_letter
from runtime.messages.encoding import encode
from runtime.messages.message import Headers
from runtime.messages.parser import Unreadable
from schemas.base import Body
from schemas.contracts.asyncapi import dead_letter_headers, document
from schemas.contracts.snapshots.topics import EVERY_TOPIC
from schemas.topics import ORDERS_REQUESTS, SERVICES, dead_letters
from tests.bodies import BODIES, make
from tests.harness.records import Delivered, delivered

DOCUMENTS = {service: document(service) for service in SERVICES}

EVERYTHING: dict[str, Any] = {
    "messages": {k: v for d in DOCUMENTS.values() for k, v in d["components"]["messages"].items()},
    "schemas": {k: v for d in DOCUMENTS.values() for k, v in d["components"]["schemas"].items()},
}

OF_SERVICES = {
    body.TYPE
    for topic in EVERY_TOPIC
    if (topic.readers | topic.writers) & set(SERVICES)
    for body in topic.bodies
}
"""Types that a service reads or writes; those that only the CLI and operators use are in no document."""

each_service = pytest.mark.parametrize("service", SERVICES)


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _references(item)


def _find(root: Any, pointer: str) -> Any:
    for part in pointer.removeprefix("#/").split("/"):
        root = root[part]
    return root


def _payload_schema(body: type[Body]) -> dict[str, Any]:
    return {
        "components": EVERYTHING,
        **EVERYTHING["messages"][body.TYPE]["payload"],
    }


def _text(headers: Headers) -> dict[str, str]:
    return {name: (value or b"").decode() for name, value in headers}


@each_service
def test_faststreams_own_model_of_asyncapi_3_takes_it(service: str) -> None:
    ApplicationSchema.model_validate(DOCUMENTS[service])


@each_service
def test_it_is_plain_json_and_every_reference_leads_somewhere(service: str) -> None:
    found = json.loads(json.dumps(DOCUMENTS[service]))
    references = list(_references(found))
    assert references
    for reference in references:
        assert isinstance(_find(found, reference), dict), reference


@each_service
def test_it_has_exactly_the_topics_that_the_service_reads_and_writes(service: str) -> None:
    found = DOCUMENTS[service]
    actions = {
        (o["action"], _find(found, o["channel"]["$ref"])["address"])
        for o in found["operations"].values()
    }
    reads = {("receive", t.name) for t in EVERY_TOPIC if service in t.readers}
    writes = {("send", t.name) for t in EVERY_TOPIC if service in t.writers}
    assert actions == reads | writes


@each_service
def test_an_operation_names_messages_of_its_own_channel(service: str) -> None:
    for operation in DOCUMENTS[service]["operations"].values():
        channel = operation["channel"]["$ref"]
        assert operation["messages"]
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/")


@each_service
def test_a_channel_tells_how_its_topic_is_configured(service: str) -> None:
    topics = {topic.name: topic for topic in EVERY_TOPIC}
    for channel in DOCUMENTS[service]["channels"].values():
        topic, binding = topics[channel["address"]], channel["bindings"]["kafka"]
        assert binding["partitions"] == topic.partitions
        told = binding["topicConfiguration"]
        assert ",".join(told["cleanup.policy"]) == topic.config["cleanup.policy"]
        assert str(told.get("retention.ms")) == topic.config.get("retention.ms", "None")


def test_the_topic_of_a_pharmacy_has_the_pharmacy_as_a_parameter() -> None:
    channel = DOCUMENTS["ordering"]["channels"]["prescriptions.approved"]
    assert channel["address"] == "prescriptions.approved.{pharmacy}"
    assert set(channel["parameters"]) == {"pharmacy"}
    assert "topic" not in channel["bindings"]["kafka"]


@pytest.mark.parametrize(
    "body", [body for body in BODIES if body.TYPE in OF_SERVICES], ids=lambda body: body.TYPE
)
def test_a_record_of_ours_is_what_its_message_says(body: type[Body]) -> None:
    made, message = make(body), EVERYTHING["messages"][body.TYPE]
    key = str(getattr(made, body.KEY))
    record = outgoing(
        "any",
        made,
        key=key,
        id=str(UUID(int=1)),
        source="urn:herhaal:test",
        subject=key,
        at=datetime(2026, 11, 10, tzinfo=UTC),
        traceparent=None,
    )
    jsonschema_rs.validate(message["headers"], _text(record.headers), validate_formats=True)
    jsonschema_rs.validate(_payload_schema(body), json.loads(encode(made)))
    jsonschema_rs.validate(message["bindings"]["kafka"]["key"], key)


def test_a_payload_schema_refuses_what_the_type_refuses() -> None:
    order = next(body for body in BODIES if body.TYPE == "order.place.v1")
    value = json.loads(encode(make(order)))
    spoilt_ones: list[dict[str, Any]] = [value | {"patient": "Jansen"}, value | {"lines": []}, {}]
    for spoilt in spoilt_ones:
        assert not jsonschema_rs.is_valid(_payload_schema(order), spoilt)


@pytest.mark.parametrize("nothing", [False, True])
def test_a_dead_letter_has_exactly_the_headers_that_are_told(nothing: bool) -> None:
    order = next(body for body in BODIES if body.TYPE == "order.place.v1")
    empty = {"key": None, "value": None} if nothing else {}
    record: Delivered = delivered(ORDERS_REQUESTS, make(order), headers=[], **empty)
    letter = dead_letter("ordering", record, Unreadable("bad_json", "the value is not JSON"))
    schema = dead_letter_headers()
    jsonschema_rs.validate(schema, _text(letter.headers))
    told = set(schema["properties"]) if nothing else set(schema["required"])
    assert set(_text(letter.headers)) == told


def test_every_service_that_buries_records_says_so() -> None:
    for service, found in DOCUMENTS.items():
        assert f"send.{dead_letters(service).name}" in found["operations"]


def test_a_server_is_named_when_its_address_is_known() -> None:
    assert "servers" not in document("metrics")
    named = document("metrics", "127.0.0.1:9092,127.0.0.1:9192")["servers"]
    assert [server["host"] for server in named.values()] == ["127.0.0.1:9092", "127.0.0.1:9192"]


def test_an_unknown_service_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no service nobody"):
        document("nobody")
