"""metrics as a `Service`: its inputs, handler, routes and table."""

from pathlib import Path

from runtime.service import Service
from schemas import topics
from schemas.contracts import asyncapi
from schemas.records.directory import Practice, System
from services.metrics import http
from services.metrics.handlers import INPUTS, MetricsHandler, Work

SERVICE: Service[Work] = Service(
    name="metrics",
    inputs=INPUTS,
    migrations=Path(__file__).parent / "migrations",
    handler=lambda _: MetricsHandler(),
    router=http.router,
    tables={Practice: topics.DIRECTORY_PRACTICES, System: topics.DIRECTORY_SYSTEMS},
    asyncapi=lambda: asyncapi.document("metrics"),
    fetch_wait_ms=250,
    holds_patients=False,
)
