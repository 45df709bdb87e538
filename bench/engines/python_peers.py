"""The peers in Python: raw aiokafka, a simple FastStream version, Quix Streams."""

import sys
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from bench.data.patients import Population
from bench.engines.engine import Phase, RunContext
from bench.peers.naive_faststream import TABLES
from deploy.local.processes.process import Program

ROOT = Path(__file__).parents[2]


def _program(context: RunContext, module: str) -> Program:
    state = context.folder / "state"
    state.mkdir(exist_ok=True)
    arguments = {
        "kafka": context.stack.kafka,
        "group": context.group,
        "state": str(state),
        "region": str(context.region),
        "database": context.database_owner,
    }
    options = [word for name, value in arguments.items() for word in (f"--{name}", value)]
    hurried = [] if context.timed else ["--hurried"]
    argv = [sys.executable, "-m", f"bench.peers.{module}", *options, *hurried]
    return Program(module, argv, context.log(module), cwd=ROOT)


class RawAiokafka:
    """Consume, parse, serialize, produce: no state and no rules."""

    name = "raw"
    title = "raw aiokafka pass-through"
    promise = "at least once, decides nothing"
    processes = "1 × Python"
    share = 1.0
    decides = False

    async def available(self) -> str | None:
        return None

    async def prepare(self, context: RunContext, population: Population) -> None:
        return None

    def reads_overviews(self, context: RunContext) -> str | None:
        return None

    def programs(self, context: RunContext, phase: Phase) -> list[Program]:
        return [_program(context, "raw_aiokafka")]


class NaiveFastStream:
    """A model, a transaction and a publish per record. The benchmark fills its table of overviews."""

    name = "naive"
    title = "the obvious FastStream version"
    promise = "can lose or repeat"
    processes = "1 × Python"
    share = 0.03
    decides = True

    async def available(self) -> str | None:
        return None

    async def prepare(self, context: RunContext, population: Population) -> None:
        db = await asyncpg.connect(context.database_owner)
        try:
            await db.execute(TABLES)
            rows = [(given.key.decode(), given.value) for given in population.records()]
            await db.copy_records_to_table("overviews", records=rows)
            await db.execute("analyze overviews")
        finally:
            await db.close()

    def reads_overviews(self, context: RunContext) -> str | None:
        return None

    def programs(self, context: RunContext, phase: Phase) -> list[Program]:
        return [_program(context, "naive_faststream")]


class QuixStreams:
    """An as-of join with state in RocksDB and a changelog on Kafka, with Kafka transactions."""

    name = "quix"
    title = "Quix Streams, exactly-once"
    promise = "exactly once within Kafka"
    processes = "1 × Python"
    share = 1.0
    decides = True

    async def available(self) -> str | None:
        return None if find_spec("quixstreams") else "quixstreams is not installed"

    async def prepare(self, context: RunContext, population: Population) -> None:
        return None

    def reads_overviews(self, context: RunContext) -> str | None:
        return context.group

    def programs(self, context: RunContext, phase: Phase) -> list[Program]:
        return [_program(context, "quix_streams")]
