"""The audit trail: who asked for each command is in it."""

from collections.abc import Iterable, Iterator

from schemas.acts import act_of
from schemas.topic_lookup import system_of
from verify.evidence import Evidence
from verify.rows import AuditRow
from verify.rules.finding import Finding
from verify.topic_records import ParsedRecord


def audit_missing(evidence: Evidence) -> Iterator[Finding]:
    """Every command that an API of ours published, or an outside system sent, has an entry in the trail."""
    ordering, medication = evidence.dump.ordering, evidence.dump.medication
    yield from _missing(evidence.requests.messages, ordering.audit)
    yield from _missing(evidence.changes.messages, medication.audit)


def _missing(commands: Iterable[ParsedRecord], trail: Iterable[AuditRow]) -> Iterator[Finding]:
    entries = {(row.action, row.patient, row.thing) for row in trail}
    for command in commands:
        act = act_of(command.body)
        asked = _of_our_api(command) or system_of(command.topic)
        if act and asked and (act.action, command.key, act.thing) not in entries:
            yield Finding(f"{type(command.body).__name__} is not in the audit trail", command.where)


def _of_our_api(command: ParsedRecord) -> bool:
    source = dict(command.record.headers).get("ce_source") or b""
    return source.startswith(b"nl.herhaal/") and source.endswith(b"/http")
