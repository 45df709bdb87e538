"""Fetches jars from Maven into a folder: `python -m deploy.local.kafka.fetch_jars COORDINATES FOLDER`.

A process of its own, so that a download can be broken off, and so that what it imports is not
loaded at every start. Prints `done total` for each jar that has arrived.
"""

import shutil
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

PARALLEL = 8


def fetch(coordinates: str, folder: Path) -> None:
    """Resolves the jars and puts each into the folder. Raises when one cannot be had."""
    import jgo

    artifacts = jgo.resolve(coordinates)
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
    fetch(sys.argv[1], Path(sys.argv[2]))
