"""Makes an AsyncAPI 3.0 document per service from the topic registry and the record types.

FastStream cannot generate it: one subscriber reads the raw bytes of all topics of a service. See
docs/decisions/0004-asyncapi-from-the-registry.md.
"""

from collections.abc import Iterable, Mapping
from inspect import getdoc
from typing import Any, TypeAlias

from pydantic.json_schema import models_json_schema

from schemas.base import SYSTEM_NAME, TRACEPARENT, Body
from schemas.contracts.snapshots.topics import EVERY_TOPIC, PHARMACY, key_field
from schemas.topics import PRESCRIPTIONS_PREFIX, SERVICES, Topic

Json: TypeAlias = dict[str, Any]

DEAD_LETTER = "dead-letter"

_BINDING = "0.5.0"
_SCHEMAS = "#/components/schemas/"

_DEAD_LETTER_HEADERS = {
    "dl_reason": "The reason, as a code; also a label of metrics.",
    "dl_detail": "Field names and kinds of error; nothing of the record's content.",
    "dl_service": "The service that could not handle the record.",
    "dl_topic": "The record's topic.",
    "dl_partition": "The record's partition.",
    "dl_offset": "The record's offset.",
    "dl_at": "The record's append time (RFC 3339, UTC).",
}


def document(service: str, address: str | None = None) -> Json:
    """Make the AsyncAPI 3.0 document of a service: the records that it reads and writes.

    `address` is the brokers' `host:port[,host:port]`; without it the document has no servers.

    Raises:
        ValueError: there is no such service.
    """
    if service not in SERVICES:
        raise ValueError(f"there is no service {service}; there are {', '.join(SERVICES)}")
    topics = [t for t in EVERY_TOPIC if service in t.readers | t.writers]
    return {
        "asyncapi": "3.0.0",
        "info": _info(service),
        "defaultContentType": "application/json",
        **({"servers": _servers(address)} if address else {}),
        "channels": {_channel_id(topic): _channel(topic) for topic in topics},
        "operations": _operations(service, topics),
        "components": _components(topics),
    }


def _info(service: str) -> Json:
    return {
        "title": f"Herhaal {service}",
        # Every record type has its own version; the document's stays the same.
        "version": "1.0.0",
        "description": (
            f"The records that {service} reads from and writes to Kafka: CloudEvents 1.0 in binary "
            "mode, the envelope in headers, the value a JSON body. Readers ignore unknown fields."
        ),
        "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    }


def _servers(address: str) -> Json:
    return {
        f"kafka-{number}": {"host": host, "protocol": "kafka"}
        for number, host in enumerate(address.split(","), start=1)
    }


def _channel_id(topic: Topic) -> str:
    return topic.name.removesuffix(f".{PHARMACY}")


def _is_per_pharmacy(topic: Topic) -> bool:
    return topic.name.startswith(PRESCRIPTIONS_PREFIX)


def _channel(topic: Topic) -> Json:
    about = topic.about
    if topic.compacted:
        about += " Compacted: the newest record of a key counts; a null value (tombstone) deletes the key."
    channel: Json = {
        "address": topic.name,
        "description": about,
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"} for name in _message_ids(topic)
        },
        "bindings": {"kafka": _channel_binding(topic)},
    }
    if _is_per_pharmacy(topic):
        channel["parameters"] = {
            "pharmacy": {
                "description": "The pharmacy's AGB code, 8 digits, the first two 02.",
                "examples": ["02999345"],
            }
        }
    return channel


def _channel_binding(topic: Topic) -> Json:
    config = topic.config
    configuration: Json = {
        "cleanup.policy": [config["cleanup.policy"]],
        "max.message.bytes": topic.max_bytes,
    }
    if "retention.ms" in config:
        configuration["retention.ms"] = int(config["retention.ms"])
    return {
        **({} if _is_per_pharmacy(topic) else {"topic": topic.name}),
        "partitions": topic.partitions,
        "topicConfiguration": configuration,
        "bindingVersion": _BINDING,
    }


def _message_ids(topic: Topic) -> list[str]:
    return [body.TYPE for body in topic.bodies] or [DEAD_LETTER]


def _operations(service: str, topics: Iterable[Topic]) -> Json:
    operations: Json = {}
    for topic in topics:
        if service in topic.readers:
            operations[f"receive.{_channel_id(topic)}"] = _operation("receive", topic)
        if service in topic.writers:
            operations[f"send.{_channel_id(topic)}"] = _operation("send", topic)
    return operations


def _operation(action: str, topic: Topic) -> Json:
    channel = f"#/channels/{_channel_id(topic)}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in _message_ids(topic)],
    }


def _components(topics: Iterable[Topic]) -> Json:
    bodies = {body: topic for topic in topics for body in topic.bodies}
    payloads, definitions = models_json_schema(
        [(body, "validation") for body in bodies], by_alias=True, ref_template=_SCHEMAS + "{model}"
    )
    schemas = definitions.get("$defs", {})
    messages = {
        body.TYPE: _message(body, topic, payloads[body, "validation"], schemas)
        for body, topic in bodies.items()
    }
    if any(not topic.bodies for topic in topics):
        messages[DEAD_LETTER] = _dead_letter()
    return {"messages": messages, "schemas": schemas}


def _message(body: type[Body], topic: Topic, payload: Json, schemas: Mapping[str, Json]) -> Json:
    about = getdoc(body) or ""
    schema = schemas[payload["$ref"].removeprefix(_SCHEMAS)]
    key = key_field(topic)
    return {
        "name": body.ce_type(),
        "title": body.__name__,
        "summary": about.partition("\n")[0],
        "description": about,
        "contentType": "application/json",
        "headers": envelope(body.ce_type()),
        "payload": payload,
        "bindings": {
            "kafka": {
                "key": {**schema["properties"][key], "description": f"The body's `{key}`."},
                "bindingVersion": _BINDING,
            }
        },
    }


def envelope(ce_type: str) -> Json:
    """The JSON Schema of a record's headers: CloudEvents 1.0, Kafka binding, binary mode."""
    headers: Json = {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {
            "type": "string",
            "minLength": 1,
            "description": "Identifies the record; ignore a repeat.",
        },
        "ce_type": {"type": "string", "const": ce_type},
        "ce_source": {"type": "string", "format": "uri-reference", "minLength": 1},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_subject": {"type": "string"},
        "content-type": {"type": "string", "const": "application/json"},
    }
    required = list(headers)
    headers["traceparent"] = {
        "type": "string",
        "pattern": TRACEPARENT,
        "description": "W3C trace context; one that is not valid is ignored.",
    }
    headers["ce_through"] = {
        "type": "string",
        "pattern": SYSTEM_NAME,
        "description": "The outside system whose request our API publishes; ignored on a system's own topic.",
    }
    return {"type": "object", "properties": headers, "required": required}


def dead_letter_headers() -> Json:
    """The JSON Schema of the headers that a dead letter has after those of the record."""
    headers: Json = {
        name: {"type": "string", "description": about}
        for name, about in _DEAD_LETTER_HEADERS.items()
    }
    required = list(headers)
    headers["dl_null_value"] = {
        "type": "string",
        "const": "true",
        "description": "The record had neither key nor value; the empty value stands for null.",
    }
    return {"type": "object", "properties": headers, "required": required}


def _dead_letter() -> Json:
    return {
        "name": DEAD_LETTER,
        "title": "DeadLetter",
        "summary": "A record that could not be handled, with its key, value and headers unchanged.",
        "contentType": "application/octet-stream",
        "headers": dead_letter_headers(),
        "payload": {"description": "The record's value, byte for byte; not necessarily JSON."},
    }
