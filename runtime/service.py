"""What a service declares: its topics, its handler, its routes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic

import structlog
from fastapi import APIRouter

from runtime.loop.handler import Handler, W
from runtime.resources import Resources
from runtime.settings import Settings
from schemas.base import Body
from schemas.topics import Topic

log = structlog.get_logger()


@dataclass(frozen=True)
class Service(Generic[W]):
    """A service, declared: what it reads, how it decides, what it answers.

    `tables` maps each small compacted topic it keeps in memory to the body it carries. `output_topic` is the
    topic that tells what it decided, where that depends on more than one input's order: after a
    restore the handler is given what the database does not know of it, and adopts it. `gather_ms` is how
    long Kafka may keep records until there are more, for a service that nobody waits for. `settings` is the
    class of its settings, its own where it has any.
    """

    name: str
    inputs: tuple[Topic, ...]
    migrations: Path
    handler: Callable[[Resources], Handler[W]]
    router: Callable[[Resources], APIRouter]
    asyncapi: Callable[[], dict[str, Any]]
    tables: dict[type[Body], Topic] = field(default_factory=dict)
    output_topic: Topic | None = None
    gather_ms: int = 0
    settings: type[Settings] = Settings
