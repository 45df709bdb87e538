"""`herhaal people`: import who patients are, erase a person, rotate the keys."""

from pathlib import Path
from typing import Annotated

import typer

from cli.console import EXIT_NOT_ALL
from cli.dead_letters import By
from cli.progress import Data, Kafka, Postgres

app = typer.Typer(
    help="Import who patients are, erase a person, and rotate the keys that keep them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Keys = Annotated[
    Path | None,
    typer.Option(
        envvar="HERHAAL_PEOPLE_KEYS", metavar="DIR", help="Another folder of patients' keys."
    ),
]
Keyring = Annotated[
    Path | None,
    typer.Option(
        envvar="HERHAAL_PEOPLE_KEYRING",
        metavar="FILE",
        help="Another keyring; default keyring.json in the folder of keys.",
    ),
]


@app.command("import")
def import_people(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV in UTF-8 with a header, comma or semicolon.")
    ],
    data: Data = None,
    postgres: Postgres = None,
    keys: Keys = None,
    keyring: Keyring = None,
) -> None:
    """Register or update the people in a file, by BSN or by pseudonym; Kafka is not needed.

    Columns: practice, surname, initials, birth_date, street, house_number, postcode, city; where known bsn,
    patient, prefix, partner_surname, phones (separated by |), email. Each line needs a bsn or a patient, so
    that the same file may be imported again. The whole file is checked first. Exits with 0 when all are
    registered, 1 when the file is not valid or nothing could be done, 2 when some lines were refused.
    """
    from cli.people.commands import Place, run_import

    if not run_import(file, Place.of(data, postgres, keys, keyring)):
        raise typer.Exit(EXIT_NOT_ALL)


@app.command()
def erase(
    patient: Annotated[str, typer.Argument(metavar="pat_…", help="Whose data.")],
    data: Data = None,
    kafka: Kafka = None,
    postgres: Postgres = None,
    keys: Keys = None,
    by: By = None,
    reason_text: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the audit.")] = "",
) -> None:
    """Make who a patient is unreadable, in rows and in every backup, by deleting the patient's key.

    Orders and overviews stay, under a pseudonym that nobody can resolve any more. It cannot be undone. If it
    is interrupted, run it again.
    """
    from cli.dead_letters.commands import signature
    from cli.people.commands import Place, run_erase

    place = Place.of(data, postgres, keys, None)
    run_erase(patient, place, place.kafka(kafka), signature(by, reason_text))


@app.command()
def rotate(
    data: Data = None,
    postgres: Postgres = None,
    keys: Keys = None,
    keyring: Keyring = None,
) -> None:
    """Replace the master and lookup keys while services run: wrap each patient's key anew, hash anew.

    If it is interrupted, run it again. Copies of the older keyring open nothing that is written afterwards.
    """
    from cli.people.commands import Place, run_rotate

    run_rotate(Place.of(data, postgres, keys, keyring))
