"""metrics as a `Service`: its inputs, handler and routes."""

from pathlib import Path

from runtime.service import Service
from schemas.contracts import asyncapi
from services.metrics import http
from services.metrics.handlers import INPUTS, MetricsHandler, Work

SERVICE: Service[Work] = Service(
    name="metrics",
    inputs=INPUTS,
    migrations=Path(__file__).parent / "migrations",
    handler=lambda _: MetricsHandler(),
    router=http.router,
    asyncapi=lambda: asyncapi.document("metrics"),
    fetch_wait_ms=250,
)
