"""ordering, wired together."""

from pathlib import Path

from runtime.service import Resources, Service
from schemas import asyncapi, topics
from schemas.directory import Pharmacy, Practice
from services.ordering import http
from services.ordering.handlers import INPUTS, OWN, OrderingHandler, Work


def _handler(resources: Resources) -> OrderingHandler:
    return OrderingHandler(resources.table(Practice).rows, resources.table(Pharmacy).rows)


SERVICE: Service[Work] = Service(
    name="ordering",
    inputs=INPUTS,
    migrations=Path(__file__).parent / "migrations",
    handler=_handler,
    router=http.router,
    asyncapi=lambda: asyncapi.document("ordering"),
    tables={Practice: topics.DIRECTORY_PRACTICES, Pharmacy: topics.DIRECTORY_PHARMACIES},
    own=OWN,
)
