"""Fetches Kafka's jars into a folder: `python -m deploy.local.fetch_kafka FOLDER`.

A process of its own, so that a download can be broken off, and so that what it imports is not
loaded at every start. Prints `done total` for each jar that has arrived.
"""

import shutil
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

KAFKA_VERSION = "4.3.0"
COORDINATES = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
"""Kafka, and the smallest binding that makes it log; log4j's own pulls in older Kafka clients."""

PARALLEL = 8


def fetch(folder: Path) -> None:
    """Resolves the jars and puts each into the folder. Raises when one cannot be had."""
    import jgo

    artifacts = jgo.resolve(COORDINATES)
    with ThreadPoolExecutor(PARALLEL) as pool:
        arriving = [pool.submit(_fetch_one, artifact, folder) for artifact in artifacts]
        for done, jar in enumerate(as_completed(arriving), 1):
            jar.result()
            sys.stdout.write(f"{done} {len(artifacts)}\n")
            sys.stdout.flush()


def _fetch_one(artifact: Any, folder: Path) -> None:
    jar = Path(artifact.resolve())
    if not zipfile.is_zipfile(jar):
        # A download that was broken off stays in Maven's folder, and is taken for the whole.
        jar.unlink()
        jar = Path(artifact.resolve())
    shutil.copyfile(jar, folder / jar.name)


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
