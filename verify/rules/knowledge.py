"""What a journal says was known of a medicine is what the patient's overview said."""

from collections.abc import Iterator
from typing import Any

import msgspec

from schemas.records.medication import MedicationOverview
from verify.evidence import Evidence
from verify.notes import Entry, Known
from verify.rules.finding import Finding

_decode_entry = msgspec.json.Decoder(Entry).decode


def known_differs(evidence: Evidence) -> Iterator[Finding]:
    """What was known of each medicine is the overview's entry, in the version that was known, if that is kept.

    Of a medicine with several entries only the status is compared: how they combine is ordering's.
    """
    overviews = _overviews(evidence)
    for order in evidence.orders.values():
        patient, prks = order.first.patient, [line.prk for line in order.lines.values()]
        for note in evidence.journals.get(order.order_id, ()):
            overview = overviews.get((patient, note.known.overview_version)) if note.known else None
            if note.known and overview and not _is_of(overview, note.known, prks):
                yield Finding("what was known is not in the overview", f"{order.order_id}")


def _overviews(evidence: Evidence) -> dict[tuple[str, int | None], MedicationOverview]:
    """The overviews by patient and version, without those of patients of whom another wrote one too."""
    others = {message.key for message in evidence.overviews.foreign_messages}
    return {
        (message.key, message.body.version): message.body
        for message in evidence.overviews.messages
        if message.body is not None and message.key not in others
    }


def _is_of(overview: MedicationOverview, known: Known, prks: list[str]) -> bool:
    if known.registered_at != overview.practice:
        return False
    return all(
        _is_entry_of(overview, line.entry, prk)
        for prk, line in zip(prks, known.lines, strict=False)
    )


def _is_entry_of(overview: MedicationOverview, entry: Entry | None, prk: str) -> bool:
    listed = [medication for medication in overview.medications if medication.prk == prk]
    if len(listed) > 1:
        return entry is None or entry.status in {medication.status for medication in listed}
    expected = _entry(listed[0], overview) if listed else None
    return entry == expected


def _entry(medication: Any, overview: MedicationOverview) -> Entry:
    left_out = {flaw.prk for flaw in overview.flaws if not flaw.kept}
    entry = _decode_entry(medication.model_dump_json())
    return msgspec.structs.replace(entry, incomplete=entry.prk in left_out)
