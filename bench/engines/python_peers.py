"""The peers that are Python programs: raw aiokafka, the obvious FastStream version, Quix Streams."""

import sys
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from bench.data.patients import Population
from bench.engines.engine import Phase, Place
from bench.peers.naive_faststream import TABLES
from deploy.local.processes.process import Program

ROOT = Path(__file__).parents[2]


def _program(place: Place, module: str) -> Program:
    state = place.folder / "state"
    state.mkdir(exist_ok=True)
    told = {
        "kafka": place.stack.kafka,
        "group": place.group,
        "state": str(state),
        "region": str(place.region),
        "database": place.database,
    }
    options = [word for name, value in told.items() for word in (f"--{name}", value)]
    hurried = [] if place.timed else ["--hurried"]
    argv = [sys.executable, "-m", f"bench.peers.{module}", *options, *hurried]
    return Program(module, argv, place.log(module), cwd=ROOT)


class RawAiokafka:
    """Consume, parse, write out, produce: no state and no rules."""

    name = "raw"
    title = "raw aiokafka pass-through"
    promise = "at least once, decides nothing"
    processes = "1 × Python"
    share = 1.0
    decides = False

    async def available(self) -> str | None:
        return None

    async def prepare(self, place: Place, population: Population) -> None:
        return None

    def reads_overviews(self, place: Place) -> str | None:
        return None

    def programs(self, place: Place, phase: Phase) -> list[Program]:
        return [_program(place, "raw_aiokafka")]


class NaiveFastStream:
    """A model, a transaction and a publish per record. Its overviews are put into its table for it."""

    name = "naive"
    title = "the obvious FastStream version"
    promise = "can lose or repeat"
    processes = "1 × Python"
    share = 0.03
    decides = True

    async def available(self) -> str | None:
        return None

    async def prepare(self, place: Place, population: Population) -> None:
        db = await asyncpg.connect(place.database)
        try:
            await db.execute(TABLES)
            rows = [(given.key.decode(), given.value) for given in population.records()]
            await db.copy_records_to_table("overviews", records=rows)
            await db.execute("analyze overviews")
        finally:
            await db.close()

    def reads_overviews(self, place: Place) -> str | None:
        return None

    def programs(self, place: Place, phase: Phase) -> list[Program]:
        return [_program(place, "naive_faststream")]


class QuixStreams:
    """An as-of join with state in RocksDB and a changelog on Kafka, in Kafka's transactions."""

    name = "quix"
    title = "Quix Streams, exactly-once"
    promise = "exactly once within Kafka"
    processes = "1 × Python"
    share = 1.0
    decides = True

    async def available(self) -> str | None:
        return None if find_spec("quixstreams") else "quixstreams is not installed"

    async def prepare(self, place: Place, population: Population) -> None:
        return None

    def reads_overviews(self, place: Place) -> str | None:
        return place.group

    def programs(self, place: Place, phase: Phase) -> list[Program]:
        return [_program(place, "quix_streams")]
