"""`herhaal explain`: how an order was decided, in words."""

from typing import Annotated, Literal

import typer

from cli.audit_trail import KeyFile
from cli.dead_letters import By
from cli.progress import Data, Kafka, Postgres


def explain(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="The order's id.")],
    language: Annotated[Literal["nl", "en"], typer.Option(help="Of the explanation.")] = "en",
    data: Data = None,
    kafka: Kafka = None,
    postgres: Postgres = None,
    key_file: KeyFile = None,
    by: By = None,
    why: Annotated[
        str, typer.Option("--why", metavar="TEXT", help="Why you look, for the trail.")
    ] = "",
) -> None:
    """Say which rules were asked for an order, on which facts, what each said, and what persons decided.

    That you looked is in the patient's audit trail, before anything is shown.
    """
    from cli.audit_trail.commands import Trails
    from cli.explain.command import order_id_of, run_explain

    order_id = order_id_of(order)
    run_explain(Trails.of_stack(data, kafka, postgres, key_file), order_id, language, by, why)
