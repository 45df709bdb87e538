"""Prints parts of tables."""

from collections.abc import Iterable, Mapping

from rich.table import Table

from runtime.postgres.parts import Part


def table(by_service: Mapping[str, Iterable[Part]]) -> Table:
    """Make a row for each part."""
    shown = Table("service", "table", "month", "part")
    for title in ("rows, about", "MB"):
        shown.add_column(title, justify="right")
    for service, found in by_service.items():
        for part in found:
            rows = "not counted" if part.rows is None else f"{part.rows:,}"
            month = str(part.month or "all others")
            shown.add_row(service, part.table, month, part.name, rows, f"{part.bytes / 1e6:,.1f}")
    return shown
