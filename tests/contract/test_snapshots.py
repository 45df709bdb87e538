"""The code keeps to the committed snapshots of records and topics."""

import json

import jsonschema_rs
import pytest

from runtime.messages.encoding import encode
from schemas.base import Body
from schemas.contracts.snapshots import committed, current, difference
from tests.bodies import BODIES, make

CHANGED = difference(committed(), current())


@pytest.mark.parametrize("name", sorted(committed().keys() | current().keys()))
def test_no_reader_or_writer_of_the_committed_snapshot_breaks(name: str) -> None:
    assert not CHANGED.breaking.get(name), (
        "\n".join(CHANGED.breaking[name])
        + "\nGive the type a new version; see docs/architecture/records-and-topics.md."
    )


def test_the_committed_snapshots_are_those_of_the_code() -> None:
    assert not CHANGED.drifted, (
        f"changed: {', '.join(CHANGED.drifted)}; "
        "run `./herhaal schemas snapshot` and commit what it writes"
    )


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.TYPE)
def test_what_we_write_is_valid_by_the_committed_snapshot(body: type[Body]) -> None:
    schema = dict(committed()[body.TYPE])
    for _ in range(3):
        jsonschema_rs.validate(schema, json.loads(encode(make(body))))
