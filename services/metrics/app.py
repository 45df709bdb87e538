"""metrics, wired together."""

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
    gather_ms=250,
)
