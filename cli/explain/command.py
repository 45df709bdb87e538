"""What `herhaal explain` does: it reads an order with its journal, and says in the audit trail that it did."""

import getpass
from uuid import UUID

import typer
from msgspec.structs import replace

from cli.audit_trail.commands import Trails
from cli.audit_trail.writing import by_operator, write_announced
from cli.console import UserError, stdout
from cli.explain.show import show
from cli.kafka import ask_both
from cli.progress.look import database
from cli.publish import publisher
from runtime.kafka.global_table import read_table
from schemas.access import Action, Party
from schemas.api.explanations import ExplanationView
from schemas.reasons import Language
from schemas.records.directory import Practice
from schemas.topics import DIRECTORY_PRACTICES
from services.ordering import journals
from services.ordering.domain.past import Past
from services.ordering.explanations.explain import explanation
from services.ordering.explanations.http import policy_of
from services.ordering.explanations.reader import Reader

SERVICE = "ordering"


def order_id_of(text: str) -> UUID:
    """Read an order's id. Raises typer.BadParameter."""
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter("ORDER is the id of an order, a UUID.") from None


def run_explain(at: Trails, order_id: UUID, language: Language, by: str | None, why: str) -> None:
    """Explain an order, after that is in the audit trail.

    Raises UserError when there is no such order, it is not decided yet, or a server is unavailable.
    """
    past, view = ask_both(at.kafka, _explain(at, order_id, language, by or getpass.getuser(), why))
    show(stdout(), past.order, view)


async def _explain(
    at: Trails, order_id: UUID, language: Language, by: str, why: str
) -> tuple[Past, ExplanationView]:
    async with database(at.postgres, SERVICE) as db:
        past = await journals.past(db, order_id)
        if past is None:
            raise UserError("There is no such order, or it is not decided yet.")
        order = past.order
        looked = by_operator(by, Action.ORDERS_HISTORY, order.patient, why, order.practice)
        looked = replace(looked, thing=f"{order_id}")
        async with publisher(at.kafka) as producer:
            await write_announced(db, producer, SERVICE, at.keys[0], looked)
    practices = await read_table(at.kafka, DIRECTORY_PRACTICES, Practice)
    policies = policy_of(practices.get(order.practice))
    return past, explanation(past, policies, Reader.of(Party.OPERATOR, language))
