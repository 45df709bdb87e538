"""Lists of medicine groups in words, for people at a terminal."""

from collections.abc import Iterator

from rich.table import Table

from schemas.records.medicines import MedicineGroup, MedicineList, MedicineListEntry, Wording

NOT_SIGNED = "nobody: a starter list, not to be relied on"


def signature(list_: MedicineListEntry) -> str:
    """Who signed a list, or that nobody did."""
    return list_.signed_by or NOT_SIGNED


def heading(list_: MedicineList) -> str:
    """What a list is, in a line."""
    what = f"{list_.name}, version {list_.version} of {list_.dated}, ATC index {list_.atc_version}"
    return f"{what}; signed by {signature(list_)}"


def table_of(list_: MedicineList) -> Table:
    """Every group in a row."""
    table = Table("ATC", "group", "class", "must not stop", "control", "most days", "sure")
    for group in list_.groups:
        table.add_row(
            ", ".join(group.atc),
            group.name.nl,
            group.risk_class or "",
            str(group.must_not_stop or ""),
            f"{group.control_months} months" if group.control_months else "",
            str(group.most_days or ""),
            group.sure,
        )
    return table


def lines_of(group: MedicineGroup) -> Iterator[str]:
    """Everything that a group says, a line each."""
    yield f"{', '.join(group.atc)}: {_both(group.name)}"
    if group.risk_class:
        yield f"  class          {group.risk_class}"
    if group.weekly:
        yield "  taken          once a week"
    if group.must_not_stop:
        yield f"  must not stop  list {group.must_not_stop}"
    if group.control_months:
        yield f"  control        every {group.control_months} months"
    if group.most_days:
        yield f"  most           {group.most_days} days in one supply"
    if group.except_prk:
        yield f"  except         PRK {', '.join(group.except_prk)}"
    if group.note:
        yield f"  note           {_both(group.note)}"
    yield f"  sure           {group.sure}, since {group.valid_from}"
    for source in group.sources:
        yield f"  source         {source}"


def _both(words: Wording) -> str:
    return words.nl if words.nl == words.en else f"{words.nl} / {words.en}"
