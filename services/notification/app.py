"""notification as a `Service`: its inputs, handler, routes, tables and settings."""

from pathlib import Path

from runtime.resources import Resources
from runtime.service import Service
from schemas import topics
from schemas.contracts import asyncapi
from schemas.records.directory import Pharmacy, Practice, System
from services.notification import http
from services.notification.handlers import INPUTS, OUTPUT_TOPIC, NotificationHandler, Work
from services.notification.live import LIVE
from services.notification.settings import NotificationSettings


def _handler(resources: Resources) -> NotificationHandler:
    return NotificationHandler(resources.table(Practice).rows, resources.table(Pharmacy).rows)


SERVICE: Service[Work] = Service(
    name="notification",
    inputs=INPUTS,
    migrations=Path(__file__).parent / "migrations",
    handler=_handler,
    router=http.router,
    asyncapi=lambda: asyncapi.document("notification"),
    tables={
        Practice: topics.DIRECTORY_PRACTICES,
        Pharmacy: topics.DIRECTORY_PHARMACIES,
        System: topics.DIRECTORY_SYSTEMS,
    },
    output_topic=OUTPUT_TOPIC,
    live=LIVE,
    settings=NotificationSettings,
)
