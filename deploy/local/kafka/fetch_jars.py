"""Downloads jars from Maven into a folder: `python -m deploy.local.kafka.fetch_jars COORDINATES FOLDER`.

It is a separate process, so that a download can be killed and its imports do not slow down every start.
Prints `done total` after each jar.
"""

import shutil
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

PARALLEL = 8


def fetch(coordinates: str, folder: Path) -> None:
    """Download the jars into the folder. Raises when one is not available."""
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
        # An interrupted download stays in Maven's folder and is taken for complete.
        jar.unlink()
        jar = Path(artifact.resolve())
    shutil.copyfile(jar, folder / jar.name)


if __name__ == "__main__":
    fetch(sys.argv[1], Path(sys.argv[2]))
