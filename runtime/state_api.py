"""`GET /state`: how a service is, in numbers, for an operator."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition
from fastapi import APIRouter, Response

from runtime.errors import KafkaUnavailable, is_transient
from runtime.health import CHECK_S, not_ready
from runtime.http.access import CallerOf, GuardedRoute, may
from runtime.http.responses import json_response
from runtime.kafka.admin import partitions_of
from runtime.loop.inputs import Inputs
from runtime.messages.positions import Position
from runtime.postgres import outbox, progress, timers
from runtime.postgres.connection import Connection
from runtime.resources import Resources
from runtime.service import Service
from schemas.access import Action
from schemas.api.state import StateView, Waits
from schemas.topics import dead_letters

Positions = Mapping[TopicPartition, Position]


class StateApi:
    """Asks a service's database and Kafka; what does not answer in time is left out."""

    def __init__(self, service: Service[Any], resources: Resources, inputs: Inputs) -> None:
        self._service = service
        self._resources = resources
        self._inputs = inputs

    async def show(self) -> StateView:
        """How the service is now."""
        problems = await not_ready(self._resources)
        waiting, positions = await self._stored() or ({}, None)
        lag, letters = await self._on_kafka(positions)
        return StateView(
            service=self._service.name,
            ready=not problems,
            problems=problems,
            waiting=waiting,
            lag=lag,
            dead_letters=letters,
        )

    async def _stored(self) -> tuple[Mapping[Waits, int], Positions] | None:
        """What waits, and the stored positions; None when the database does not say."""
        database = self._resources.database
        if database is None:
            return None
        try:
            async with asyncio.timeout(CHECK_S), database.checks.acquire() as db:
                return await self._waiting(db), await progress.positions(db)
        except Exception as error:
            if not is_transient(error):
                raise
            return None

    async def _waiting(self, db: Connection) -> Mapping[Waits, int]:
        own = await self._service.waiting(db)
        return {Waits.OUTBOX: await outbox.count(db), Waits.TIMERS: await timers.count(db), **own}

    async def _on_kafka(self, positions: Positions | None) -> tuple[int | None, int | None]:
        """The lag and the number of dead letters."""
        letters = partitions_of([dead_letters(self._service.name)])
        inputs = partitions_of(self._inputs.topics)
        try:
            ranges = await self._resources.pages.ranges([*letters, *inputs])
        except KafkaUnavailable:
            return None, None
        dead = sum(end - begin for begin, end in map(ranges.__getitem__, letters))
        if positions is None:
            return None, dead
        return sum(_lag(ranges[tp], positions.get(tp)) for tp in inputs), dead


def _lag(offsets: tuple[int, int], position: Position | None) -> int:
    begin, end = offsets
    return max(0, end - max(begin, position.next_offset if position else 0))


def router(service: Service[Any], resources: Resources, inputs: Inputs) -> APIRouter:
    """The route of every service."""
    api = StateApi(service, resources, inputs)
    routes = APIRouter(route_class=GuardedRoute)

    @routes.get("/state", response_model=StateView)
    @may(Action.STATE_READ)
    async def state(caller: CallerOf) -> Response:
        """Show what waits, in numbers."""
        return json_response(await api.show())

    return routes
