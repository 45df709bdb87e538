"""The programs of Apache Kafka: version, Java runtime, command lines."""

import os
from dataclasses import dataclass
from pathlib import Path

from deploy.local.kafka.jars import Jars
from deploy.local.processes.process import Program

KAFKA_VERSION = "4.3.0"


# The smallest slf4j binding that logs; the log4j one depends on older Kafka clients.
KAFKA = Jars(
    f"Apache Kafka {KAFKA_VERSION}",
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36",
    45,
)


BROKER = "kafka.Kafka"
STORAGE_TOOL = "kafka.tools.StorageTool"


@dataclass(frozen=True)
class KafkaInstall:
    """The Java runtime, the jars, and the ahead-of-time cache for exactly these."""

    java: Path
    jars: tuple[Path, ...]
    aot: Path

    @property
    def classpath(self) -> str:
        return ":".join(map(str, self.jars))

    def command(self, main: str, arguments: list[str], options: tuple[str, ...] = ()) -> list[str]:
        """Make a Java command line, with the ahead-of-time cache if it exists."""
        cached = (f"-XX:AOTCache={self.aot}",) if self.aot.exists() else ()
        flags = (*FLAGS, *(options or cached))
        return [str(self.java), *flags, "-cp", self.classpath, main, *arguments]

    def program(self, name: str, argv: list[str], log: Path, cwd: Path) -> Program:
        """Make a Java program. In the C locale Java would not find jars in a folder like `/home/zoë`."""
        return Program(name, argv, log, env=os.environ | {"LC_ALL": "C.UTF-8"}, cwd=cwd)


# The collector that starts fastest and takes least memory on two cores. The ahead-of-time cache only works
# with the collector that it was made with.
FLAGS = (
    "-XX:+UseSerialGC",
    "-Xmx512m",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config.AbstractConfig=warn",
)
