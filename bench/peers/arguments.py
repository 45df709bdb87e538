"""What every peer written in Python is told on its command line."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import orjson

from schemas import topics
from schemas.records.directory import Policy

ORDERS = topics.ORDERS_REQUESTS.name
OVERVIEWS = topics.MEDICATION_STATUS.name
EVENTS = topics.ORDERS_EVENTS.name


@dataclass(frozen=True)
class Arguments:
    """Where Kafka and the database are, the consumer group, a folder for state, the region's file.

    `hurried` is a run whose times nobody looks at.
    """

    kafka: str
    group: str
    state: Path
    region: Path
    database: str
    hurried: bool


@dataclass(frozen=True)
class Region:
    """What the rules need of the directory: each practice's version and policy, the known pharmacies."""

    practices: dict[str, tuple[int, Policy]]
    pharmacies: frozenset[str]


def arguments() -> Arguments:
    """The command line of this process."""
    parser = argparse.ArgumentParser()
    for name in ("kafka", "group", "database"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("state", "region"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    parser.add_argument("--hurried", action="store_true")
    return Arguments(**vars(parser.parse_args()))


def region(path: Path) -> Region:
    """The region in a file."""
    known = orjson.loads(path.read_bytes())
    return Region(
        {
            agb: (practice.pop("version"), Policy(**practice))
            for agb, practice in known["practices"].items()
        },
        frozenset(known["pharmacies"]),
    )
