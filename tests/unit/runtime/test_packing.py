"""Records in the outbox: whatever they hold, they come out as they went in."""

import pytest

from runtime.messages.message import Outgoing
from runtime.postgres.outbox_format import LARGE, pack, unpack

RECORD = Outgoing("orders.events", b"pat_anna0001", b'{"seq":1}', [("ce_id", b"1"), ("odd", None)])
REMOVED = Outgoing("medication.status", b"pat_anna0001", None, [])
KEYLESS = Outgoing("ordering.dead-letters", None, b"\x28\xb5\x2f\xfd", [("\xff", b"\x00")])


@pytest.mark.parametrize("times", [1, 3, 100, 3000])
def test_records_come_out_as_they_went_in(times: int) -> None:
    records = (RECORD, REMOVED, KEYLESS) * times
    assert unpack(pack(records)) == records


def test_no_record_is_a_value_too() -> None:
    assert unpack(pack(())) == ()


def test_many_records_that_say_nearly_the_same_take_little_room() -> None:
    records = [RECORD] * 1000
    assert len(pack(records)) < sum(record.size for record in records) / 20


def test_what_is_small_is_left_as_it_is() -> None:
    """A call to the compressor would take longer than what it saves."""
    assert RECORD.value is not None
    assert RECORD.value in pack([RECORD])
    assert len(pack([RECORD])) < LARGE
