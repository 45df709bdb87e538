"""Dumps: saving, loading and comparing them."""

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.records.notifications import PickupPromised
from schemas.records.orders import OrderDecided
from tests.unit.verify.edit import EVENTS, NOTIFICATIONS, find, with_body, with_rows, without
from tests.unit.verify.made import clean
from verify.checker import compare
from verify.dump import Dump, DumpUnreadable, load, save
from verify.rows import KafkaRecord


def test_a_loaded_dump_equals_the_saved_one(tmp_path: Path) -> None:
    dump = clean().dump
    save(dump, tmp_path / "one")
    assert load(tmp_path / "one") == dump


def test_saving_the_same_dump_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save(clean().dump, tmp_path / name)
    assert _content(tmp_path / "one") == _content(tmp_path / "two")
    assert len(_content(tmp_path / "one")) > 30


def _content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        save(clean().dump, tmp_path)


@pytest.mark.parametrize("gone", ["about.json", "tables/ordering.orders.jsonl", "partitions.jsonl"])
def test_an_incomplete_dump_is_refused(tmp_path: Path, gone: str) -> None:
    save(clean().dump, tmp_path)
    (tmp_path / gone).unlink()
    with pytest.raises(DumpUnreadable):
        load(tmp_path)


def test_offsets_append_times_and_repeats_are_not_compared() -> None:
    dump = clean().dump
    assert compare(dump, _replayed(dump)) == []


def _replayed(dump: Dump) -> Dump:
    """The same dump with other offsets and append times, and some records published twice."""
    chance = random.Random(7)
    written = [r for r in dump.records if r.topic in (EVENTS, NOTIFICATIONS)]
    others = [r for r in dump.records if r.topic not in (EVENTS, NOTIFICATIONS)]
    again = [replace(r, offset=r.offset + 10_000) for r in chance.sample(written, 5)]
    later = [
        replace(r, offset=2 * r.offset + 7, timestamp=r.timestamp + 5000)
        for r in (*written, *again)
    ]
    records = sorted((*others, *later), key=lambda r: (r.topic, r.partition, r.offset))
    return replace(
        dump,
        taken_at=dump.taken_at + timedelta(hours=1),
        records=tuple(records),
        ordering=replace(dump.ordering, progress=()),
    )


def test_the_time_of_a_promise_is_not_compared() -> None:
    case = clean()
    promise = find(case, PickupPromised)
    later = with_body(case, promise, promised_at="2030-01-01T00:00:00Z")
    assert compare(case.dump, later.dump) == []
    other = with_body(case, promise, until="2030-01-01T00:00:00Z")
    assert compare(case.dump, other.dump)


def test_a_record_that_only_one_replay_has_is_a_difference() -> None:
    case = clean()
    gone = find(case, OrderDecided)
    (difference,) = compare(case.dump, without(case, gone).dump)
    assert (difference.where, difference.only_in) == (EVENTS, 1)


def test_a_record_with_another_value_is_a_difference_in_both() -> None:
    case = clean()
    other = with_body(case, find(case, OrderDecided), policy_version=99)
    assert [d.only_in for d in compare(case.dump, other.dump)] == [1, 2]


def test_another_order_of_one_keys_records_is_a_difference() -> None:
    dump = clean().dump
    events = [r for r in dump.records if r.topic == EVENTS]
    first = events[0]
    last = [r for r in events if r.key == first.key][-1]
    turned = [_at(r, first, last) for r in dump.records]
    assert compare(dump, replace(dump, records=tuple(turned)))


def _at(record: KafkaRecord, first: KafkaRecord, last: KafkaRecord) -> KafkaRecord:
    offsets = {id(first): last.offset, id(last): first.offset}
    return replace(record, offset=offsets.get(id(record), record.offset))


def test_a_row_that_only_one_database_has_is_a_difference() -> None:
    case = clean()
    fewer = with_rows(case, "metrics", "counted", lambda rows: rows[1:])
    (difference,) = compare(case.dump, fewer.dump)
    assert (difference.where, difference.only_in, difference.row) == ("metrics.counted", 1, 1)
