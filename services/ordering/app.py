"""ordering as a `Service`: its inputs, handler, routes, tables and settings."""

from pathlib import Path

from pydantic import Field

from runtime.resources import Resources
from runtime.service import Service
from runtime.settings import Settings
from runtime.systems import Systems
from schemas import topics
from schemas.contracts import asyncapi
from schemas.records.directory import Pharmacy, Practice, System
from schemas.records.medicines import MedicineList
from services.ordering import http, store
from services.ordering.handlers import INPUTS, OUTPUT_TOPIC, OrderingHandler
from services.ordering.live import LIVE
from services.ordering.work import Work


class OrderingSettings(Settings):
    """ordering's settings: its API serves many clients at once, so its pool is larger."""

    api_connections: int = Field(default=10, ge=1, le=100)


def _handler(resources: Resources) -> OrderingHandler:
    practices, pharmacies = resources.table(Practice).rows, resources.table(Pharmacy).rows
    systems = Systems(resources.table(System).rows, practices)
    lists = resources.table(MedicineList).rows
    return OrderingHandler(practices, pharmacies, systems, lists)


SERVICE: Service[Work] = Service(
    name="ordering",
    inputs=INPUTS,
    migrations=Path(__file__).parent / "migrations",
    handler=_handler,
    router=http.router,
    asyncapi=lambda: asyncapi.document("ordering"),
    tables={
        Practice: topics.DIRECTORY_PRACTICES,
        Pharmacy: topics.DIRECTORY_PHARMACIES,
        System: topics.DIRECTORY_SYSTEMS,
        MedicineList: topics.DIRECTORY_MEDICINES,
    },
    output_topic=OUTPUT_TOPIC,
    live=LIVE,
    settings=OrderingSettings,
    waiting=store.waiting,
)
