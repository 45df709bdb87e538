"""medication as a `Service`: its inputs, handler and routes."""

from pathlib import Path

from runtime.service import Service
from schemas.contracts import asyncapi
from services.medication import http
from services.medication.handlers import INPUTS, MedicationHandler, Work

SERVICE: Service[Work] = Service(
    name="medication",
    inputs=INPUTS,
    migrations=Path(__file__).parent / "migrations",
    handler=lambda _: MedicationHandler(),
    router=http.router,
    asyncapi=lambda: asyncapi.document("medication"),
)
