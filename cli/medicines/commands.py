"""The commands of `herhaal medicines`: check a list, publish it, show what counts."""

from pathlib import Path

import typer
from pydantic import TypeAdapter, ValidationError

from cli.console import UserError, print_plain, stdout
from cli.entries.showing import or_exit, show
from cli.kafka import ask
from cli.medicines.file import check
from cli.medicines.publish import publish_list, read_lists
from cli.medicines.wording import heading, lines_of, table_of
from schemas.base import Atc
from schemas.medicine_groups import MedicineGroups, MedicineLists, group_of
from schemas.records.medicines import NATIONAL

NO_PRK = ""
"""A code of no medicine: what counts for a whole ATC code, before any exception."""


def run_check(path: Path) -> None:
    """Print the errors of a list; exit with 1 when there are any.

    Raises:
        UserError: the file cannot be read.
    """
    list_ = or_exit(check(path))
    codes = sum(len(group.atc) for group in list_.groups)
    typer.echo(f"{path}: {len(list_.groups)} groups of {codes} ATC codes, no errors")


def run_apply(path: Path, kafka: str) -> None:
    """Publish a list; exit with 1 when it has errors.

    Raises:
        UserError: the file cannot be read, or Kafka is unavailable or refuses.
    """
    list_ = or_exit(check(path))
    show(ask(kafka, publish_list(kafka, list_)), "list", "signed by")


def run_show(atc: str | None, region: str | None, kafka: str) -> None:
    """Print the list that counts for a region, or its group for one code.

    Raises:
        UserError: there is no list or no such code, or Kafka is unavailable or refuses.
    """
    code = None if atc is None else _code(atc)
    groups = MedicineLists(ask(kafka, read_lists(kafka))).of(region or NATIONAL)
    if groups is None:
        raise UserError(
            "There is no list of medicines yet: `herhaal medicines apply` publishes one."
        )
    print_plain(stdout(), heading(groups.list))
    if code is None:
        stdout().print(table_of(groups.list))
    else:
        print_plain(stdout(), "\n".join(_found(groups, code)))


def _code(atc: str) -> str:
    try:
        return TypeAdapter[str](Atc).validate_python(atc.upper())
    except ValidationError:
        raise UserError(f"{atc} is no ATC code, nor the beginning of one, such as N05A.") from None


def _found(groups: MedicineGroups, code: str) -> list[str]:
    group = group_of(groups, code, NO_PRK)
    return (
        [*lines_of(group)]
        if group
        else [f"{code} is in no group: what a practice's policy says counts."]
    )
