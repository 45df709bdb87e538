"""medication as a `Service`: its inputs, handler and routes."""

from pathlib import Path

from runtime.resources import Resources
from runtime.service import Service
from runtime.systems import Systems
from schemas import topics
from schemas.contracts import asyncapi
from schemas.records.directory import Practice, System
from services.medication import http
from services.medication.handlers import INPUTS, MedicationHandler, Work


def _handler(resources: Resources) -> MedicationHandler:
    return MedicationHandler(Systems(resources.table(System).rows, resources.table(Practice).rows))


SERVICE: Service[Work] = Service(
    name="medication",
    inputs=INPUTS,
    migrations=Path(__file__).parent / "migrations",
    handler=_handler,
    router=http.router,
    tables={Practice: topics.DIRECTORY_PRACTICES, System: topics.DIRECTORY_SYSTEMS},
    asyncapi=lambda: asyncapi.document("medication"),
)
