"""Records that could not be taken: kept as they were, with why, where and when."""

from datetime import datetime

from runtime.parsing import Unreadable
from runtime.records import Outgoing, Record, append_time
from schemas.topics import dead_letters

PREFIX = "dl_"


def dead_letter(service: str, record: Record, why: Unreadable) -> Outgoing:
    """The record as it was, its own headers first, then `dl_*`: reason, detail, service and origin.

    `dl_at` is the broker's append time of the record (UTC), so a replay makes the same letter.
    """
    about = {
        "reason": why.reason,
        "detail": why.detail,
        "service": service,
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "at": _iso(append_time(record.timestamp)),
    }
    if record.key is None and record.value is None:
        # Kafka clients refuse a record with neither; an empty value stands in and is marked.
        about["null_value"] = "true"
    headers = [*record.headers, *((PREFIX + name, text.encode()) for name, text in about.items())]
    value = b"" if "null_value" in about else record.value
    return Outgoing(dead_letters(service).name, record.key, value, headers)


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
