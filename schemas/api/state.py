"""The body of every service's `GET /state`: numbers for who operates it, and nothing of a patient."""

from enum import StrEnum

from pydantic import BaseModel


class Waits(StrEnum):
    """What can wait in a service."""

    OUTBOX = "outbox"
    """Batches of records that are decided and not yet acknowledged by Kafka."""
    TIMERS = "timers"
    """Records that will be published at a given time."""
    INTAKE = "intake"
    """Orders that were taken and are not decided yet."""
    ORDERS_WITHOUT_OVERVIEW = "orders_without_overview"
    """Orders that wait for the patient's medication overview."""
    LINES_IN_REVIEW = "lines_in_review"
    """Order lines that a person has to look at."""


class StateView(BaseModel):
    """How a service is. `problems` are those of `/readyz`, in words.

    `waiting` is how much waits; empty when the database does not say. `lag` is how many records of its input
    topics the service has not handled, `dead_letters` how many its topic of dead letters holds, settled or
    not; None when Kafka or the database does not say.
    """

    service: str
    ready: bool
    problems: list[str]
    waiting: dict[Waits, int]
    lag: int | None
    dead_letters: int | None
