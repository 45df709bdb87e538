"""Reads a list of medicine groups and reports all of its errors at once."""

from collections.abc import Iterator
from pathlib import Path

from pydantic_core import ErrorDetails

from cli.entries import checking
from cli.entries.checking import Checked, Flaw, Rules, duplicates, entries
from cli.entries.yaml_lines import Document, Where
from schemas.records.medicines import MedicineGroup, MedicineListEntry, Wording

_MARKS = ("risk_class", "weekly", "must_not_stop", "control_months", "most_days")
"""What a group says of its medicines."""

_PATTERNS = {
    "atc": "must be an ATC code, or its first 1, 3, 4 or 5 characters, such as N05A",
    "except_prk": "must be a PRK code: 1 to 8 digits, in quotes",
    "atc_version": 'must be a year in quotes, such as "2024"',
}


def check(path: Path) -> Checked[MedicineListEntry]:
    """Check a file. Raises UserError when it cannot be read."""
    return checking.check(path, _RULES)


def _message(error: ErrorDetails) -> str | None:
    names = [part for part in error["loc"] if isinstance(part, str)]
    return _PATTERNS.get(names[-1]) if error["type"] == "string_pattern_mismatch" else None


def _errors(document: Document, list_: MedicineListEntry | None) -> Iterator[Flaw]:
    written = (
        prefix for where, group in entries(document, "groups") for prefix in _atc(where, group)
    )
    yield from duplicates(document, written)
    for n, group in enumerate(list_.groups if list_ else ()):
        if list_ and group.valid_from > list_.dated:
            what = f"is after {list_.dated}: what is in a list counts as soon as it is applied"
            yield ("groups", n, "valid_from"), what


def _atc(where: Where, group: dict[str, object]) -> Iterator[tuple[Where, str]]:
    codes = group.get("atc")
    for n, code in enumerate(codes if isinstance(codes, list) else ()):
        yield (*where, "atc", n), str(code)


def _doubts(document: Document, list_: MedicineListEntry) -> Iterator[Flaw]:
    if list_.signed_by is None:
        yield (
            ("signed_by",),
            "is missing: nobody has signed this list, which is said where it is shown",
        )
    groups = {prefix: n for n, group in enumerate(list_.groups) for prefix in group.atc}
    for prefix, n in groups.items():
        wider = max((p for p in groups if _within(prefix, p)), key=len, default=None)
        if wider is not None:
            yield from _lost(document, list_, (prefix, n), (wider, groups[wider]))


def _within(prefix: str, wider: str) -> bool:
    return prefix != wider and prefix.startswith(wider)


def _lost(
    document: Document,
    list_: MedicineListEntry,
    narrow: tuple[str, int],
    wide: tuple[str, int],
) -> Iterator[Flaw]:
    """Name each mark of the wider group on which the narrower one is silent: it is lost for its medicines."""
    (prefix, n), (wider, m) = narrow, wide
    ours, theirs, written = list_.groups[n], list_.groups[m], document.value["groups"][n]
    lost = [mark for mark in _MARKS if getattr(theirs, mark) and not getattr(ours, mark)]
    for mark in lost:
        if mark not in written:
            what = f"{prefix} is in {wider} too (line {document.line(('groups', m))})"
            yield (
                ("groups", n),
                f"{what}, whose {mark} does not count for it: write {mark} here, or null",
            )


_RULES = Rules(
    MedicineListEntry,
    about="must have the keys name, dated, atc_version and groups",
    nested={"groups": MedicineGroup, "name": Wording, "note": Wording},
    message=_message,
    errors=_errors,
    doubts=_doubts,
)
