"""The outbox format: records are unpacked exactly as they were packed."""

import pytest

from runtime.messages.message import Outgoing
from runtime.postgres.outbox_format import COMPRESS_FROM, pack, unpack

RECORD = Outgoing("orders.events", b"pat_anna0001", b'{"seq":1}', [("ce_id", b"1"), ("odd", None)])
REMOVED = Outgoing("medication.status", b"pat_anna0001", None, [])
KEYLESS = Outgoing("ordering.dead-letters", None, b"\x28\xb5\x2f\xfd", [("\xff", b"\x00")])


@pytest.mark.parametrize("times", [1, 3, 100, 3000])
def test_records_are_unpacked_as_they_were_packed(times: int) -> None:
    records = (RECORD, REMOVED, KEYLESS) * times
    assert unpack(pack(records)) == records


def test_an_empty_list_can_be_packed() -> None:
    assert unpack(pack(())) == ()


def test_many_similar_records_are_compressed() -> None:
    records = [RECORD] * 1000
    assert len(pack(records)) < sum(record.size for record in records) / 20


def test_small_rows_are_not_compressed() -> None:
    """Compression would cost more than it saves."""
    assert RECORD.value is not None
    assert RECORD.value in pack([RECORD])
    assert len(pack([RECORD])) < COMPRESS_FROM
