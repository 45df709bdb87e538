"""Snapshots: what is written, what is refused, which changes of a topic break."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from schemas.contracts import snapshots
from schemas.contracts.snapshots import Breaking, Snapshots, committed, current, difference, write
from schemas.contracts.snapshots.topics import breaking_topic_changes, snapshot

ORDER = "order.place.v1"


def changed(name: str = ORDER, **properties: Any) -> Snapshots:
    """The current snapshots, with these fields of one type replaced; None removes a field."""
    taken: dict[str, Any] = deepcopy(dict(current()))
    fields = taken[name]["properties"] | properties
    taken[name]["properties"] = {k: v for k, v in fields.items() if v is not None}
    return taken


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the current snapshots."""
    write(current(), tmp_path)
    return tmp_path


def test_written_snapshots_are_read_back(folder: Path) -> None:
    assert committed(folder) == current()
    assert write(current(), folder) == ()


def test_a_snapshot_is_sorted_and_indented_text(folder: Path) -> None:
    text = (folder / f"{ORDER}.json").read_text()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_a_harmless_change_is_drift_and_is_written(folder: Path) -> None:
    grown = changed(note={"type": "string", "default": ""})
    assert difference(committed(folder), grown) == snapshots.Difference({}, (ORDER,))
    assert write(grown, folder) == (ORDER,)
    assert committed(folder) == grown


def test_a_breaking_change_is_refused_and_nothing_is_written(folder: Path) -> None:
    broken = changed(remark=None)
    with pytest.raises(Breaking) as caught:
        write(broken, folder)
    assert caught.value.sentences == {
        ORDER: [f"{ORDER} $.remark: the field was removed: earlier readers would miss it"]
    }
    assert committed(folder) == current()


def test_a_breaking_change_is_written_when_its_type_is_named(folder: Path) -> None:
    broken = changed(remark=None)
    assert write(broken, folder, allow_breaking=[ORDER]) == (ORDER,)
    assert committed(folder) == broken


def test_naming_another_type_allows_nothing(folder: Path) -> None:
    with pytest.raises(Breaking):
        write(changed(remark=None), folder, allow_breaking=["order.cancel.v1"])


def test_a_removed_type_breaks_and_its_file_is_deleted_when_allowed(folder: Path) -> None:
    less = {name: taken for name, taken in current().items() if name != ORDER}
    with pytest.raises(Breaking, match="the record type was removed"):
        write(less, folder)
    write(less, folder, allow_breaking=[ORDER])
    assert not (folder / f"{ORDER}.json").exists()


def test_a_new_type_is_harmless(folder: Path) -> None:
    more = {**current(), "order.new.v1": {"type": "object"}}
    assert difference(committed(folder), more) == snapshots.Difference({}, ("order.new.v1",))


def test_a_snapshot_names_fields_as_records_do() -> None:
    fields = current()["pickup.promised.v1"]["properties"]
    assert "from" in fields
    assert "from_" not in fields


NAME = "orders.requests"
COMPACTED = "medication.status"


def topic_change(name: str = NAME, **changes: Any) -> list[str]:
    old = snapshot()
    return breaking_topic_changes(old, {**old, name: {**old[name], **changes}})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"key": "order_id"}, "the key changed from patient to order_id"),
        ({"partitions": 16}, "partitions changed from 8 to 16"),
        ({"compacted": True, "retention_ms": None}, "it was kept for a time and is compacted now"),
        ({"retention_ms": 1}, "retention_ms shrank from 2592000000 to 1"),
        ({"max_bytes": 1}, "max_bytes shrank from 1048576 to 1"),
        ({"types": ["order.place.v1"]}, "it no longer carries order.cancel.v1"),
        ({"writers": []}, "ordering may no longer write"),
        ({"readers": []}, "ordering may no longer read"),
    ],
)
def test_a_breaking_change_of_a_topic_is_reported(changes: dict[str, Any], says: str) -> None:
    [found] = topic_change(**changes)
    assert found.startswith(f"{NAME}: {says}")


@pytest.mark.parametrize(
    "changes",
    [
        {"retention_ms": 10**15},
        {"max_bytes": 10**9},
        {"types": ["order.cancel.v1", "order.new.v1", "order.place.v1"]},
        {"writers": ["ordering", "portal", "region"]},
        {"readers": ["metrics", "ordering"]},
    ],
)
def test_a_topic_may_grow(changes: dict[str, Any]) -> None:
    assert topic_change(**changes) == []


def test_a_compacted_topic_that_gets_a_retention_breaks() -> None:
    [found] = topic_change(COMPACTED, compacted=False, retention_ms=1)
    assert "it was compacted and is kept for a time now" in found


def test_a_topic_can_be_added_but_not_removed() -> None:
    old = snapshot()
    less = {name: taken for name, taken in old.items() if name != NAME}
    assert breaking_topic_changes(less, old) == []
    [found] = breaking_topic_changes(old, less)
    assert found == f"{NAME}: the topic was removed: its readers and writers lose it"
