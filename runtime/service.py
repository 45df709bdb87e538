"""The declaration of a service: its topics, handler and routes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic

from fastapi import APIRouter

from runtime.live import Live
from runtime.loop.handler import Handler, W
from runtime.postgres.connection import Connection
from runtime.resources import Resources
from runtime.settings import Settings
from schemas.api.state import Waits
from schemas.base import Body
from schemas.topics import Topic

CountWaiting = Callable[[Connection], Awaitable[Mapping[Waits, int]]]


async def _nothing_waits(_: Connection) -> Mapping[Waits, int]:
    return {}


@dataclass(frozen=True)
class Service(Generic[W]):
    """Declares a service.

    `inputs` are the topics that it reads; those of outside systems beside them it reads too, where it has the
    table of systems.
    `tables` are its global tables: the body and topic of each. `output_topic` is set where decisions depend on
    the order of records across inputs: after a restore the handler recovers from its own events there. The
    broker may hold a fetch for `fetch_wait_ms` to collect more records, where nobody waits for the results.
    `live` is what it tells clients as it happens. `settings` is its settings class. A service that
    `holds_patients` shows who did what to their records.
    `waiting` counts what waits in its own tables.
    """

    name: str
    inputs: tuple[Topic, ...]
    migrations: Path
    handler: Callable[[Resources], Handler[W]]
    router: Callable[[Resources], APIRouter]
    asyncapi: Callable[[], dict[str, Any]]
    tables: dict[type[Body], Topic] = field(default_factory=dict)
    output_topic: Topic | None = None
    fetch_wait_ms: int = 0
    live: Live | None = None
    settings: type[Settings] = Settings
    holds_patients: bool = True
    waiting: CountWaiting = _nothing_waits
