"""The command line of the peers in Python."""

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from schemas import topics

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
class Switches:
    """What a practice has a person look at; the defaults are of one that is not in the directory."""

    review_everything: bool = False
    review_high_risk: bool = True
    review_remarks: bool = True
    review_larger_supply: bool = True
    review_larger_quantity: bool = True


@dataclass(frozen=True)
class Region:
    """The part of the directory that the rules need: practices' versions and switches, pharmacies."""

    practices: dict[str, tuple[int, Switches]]
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
            agb: (practice.pop("version"), Switches(**practice))
            for agb, practice in content["practices"].items()
        },
        frozenset(content["pharmacies"]),
    )
