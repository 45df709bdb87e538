"""What a guarded route writes into the audit trail."""

from collections.abc import Sequence

from runtime.audit.entry import Entry, Outcome
from tests.harness.made import PRACTICE
from tests.unit.runtime.test_access import ANNA, BERT, CLAIMS, ask


class Trail:
    """Keeps entries; with `fails`, as a database that is away."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.entries: list[Entry] = []
        self.fails = fails

    async def write(self, entries: Sequence[Entry]) -> None:
        if self.fails and entries:
            raise self.fails
        self.entries += entries


async def test_a_look_at_a_patients_records_leaves_an_entry() -> None:
    trail = Trail()
    await ask("GET", f"/patients/{ANNA}", "patient", write_audit=trail.write)
    (entry,) = trail.entries
    assert (entry.role, entry.actor) == ("patient", CLAIMS["patient"].sub)
    assert (entry.action, entry.patient, entry.practice) == ("orders.read", ANNA, PRACTICE)
    assert (entry.outcome, entry.reason) == (Outcome.ALLOWED, None)


async def test_a_refused_look_leaves_an_entry_with_its_reason() -> None:
    """Given a patient who asks for another, and a role that may not ask; then both are in the trail of whom
    they asked for.
    """
    trail = Trail()
    await ask("GET", f"/patients/{BERT}", "patient", write_audit=trail.write)
    await ask("GET", f"/patients/{BERT}", "operator", write_audit=trail.write)
    assert [(e.role, e.patient, e.outcome, e.reason) for e in trail.entries] == [
        ("patient", BERT, Outcome.REFUSED, "not-found"),
        ("operator", BERT, Outcome.REFUSED, "forbidden"),
    ]


async def test_a_request_about_nobodys_records_leaves_no_entry() -> None:
    trail = Trail()
    assert (await ask("POST", "/orders", "patient", write_audit=trail.write)).status_code == 200
    assert (await ask("GET", "/livez", write_audit=trail.write)).status_code == 200
    assert not trail.entries


async def test_what_a_path_says_is_kept_only_if_it_is_an_identifier() -> None:
    """Given a path with a name in it, which nobody checked; then the trail has neither patient nor name."""
    trail = Trail()
    await ask("GET", "/patients/Jansen%00", "operator", write_audit=trail.write)
    (entry,) = trail.entries
    assert (entry.patient, entry.thing) == (None, None)


async def test_what_cannot_be_written_down_is_not_shown() -> None:
    """Given a database that is away; then the answer is 503, not the patient's records."""
    trail = Trail(fails=OSError())
    answer = await ask("GET", f"/patients/{ANNA}", "patient", write_audit=trail.write)
    assert answer.status_code == 503
    assert ANNA not in answer.text
