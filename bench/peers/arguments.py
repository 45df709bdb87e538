"""The command line of the peers in Python."""

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from schemas import topics
from schemas.records.directory import Policy

ORDERS = topics.ORDERS_REQUESTS.name
OVERVIEWS = topics.MEDICATION_STATUS.name
EVENTS = topics.ORDERS_EVENTS.name


@dataclass(frozen=True)
class Arguments:
    """The servers, the consumer group, a folder for state, the region's file.

    `hurried` is a run whose rate is not measured.
    """

    kafka: str = field(repr=False)
    group: str
    state: Path
    region: Path
    database: str = field(repr=False)
    hurried: bool


@dataclass(frozen=True)
class Region:
    """The part of the directory that the rules need: practices' versions and policies, pharmacies."""

    practices: dict[str, tuple[int, Policy]]
    pharmacies: frozenset[str]


def arguments() -> Arguments:
    """Parse the command line of this process."""
    parser = argparse.ArgumentParser()
    for name in ("kafka", "group", "database"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("state", "region"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    parser.add_argument("--hurried", action="store_true")
    return Arguments(**vars(parser.parse_args()))


def region(path: Path) -> Region:
    """Read the region's file."""
    content = orjson.loads(path.read_bytes())
    return Region(
        {
            agb: (practice.pop("version"), Policy(**practice))
            for agb, practice in content["practices"].items()
        },
        frozenset(content["pharmacies"]),
    )
