"""Committed snapshots of the contracts: the JSON Schema of every record type, and the topic registry.

`<type>.json` is the schema of a type, `topics.json` the registry. Tests compare them with the code, so that no
change breaks a reader or a writer by accident.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from schemas.base import Body
from schemas.contracts.compatibility import breaking_changes
from schemas.contracts.snapshots.topics import breaking_topic_changes, snapshot
from schemas.topics import all_bodies

Snapshots: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Snapshots by record type without prefix, such as `order.place.v1`; the registry is `topics`."""

Sentences: TypeAlias = Mapping[str, list[str]]
"""Breaking changes by snapshot."""

FOLDER = Path(__file__).parent
"""The folder of the committed snapshots."""

TOPICS = "topics"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True)
class Difference:
    """The differences between two sets of snapshots."""

    breaking: Sentences
    drifted: tuple[str, ...]
    """Every snapshot that differs, breaking or not."""


class Breaking(Exception):
    """Raised instead of overwriting a snapshot by one that breaks it."""

    def __init__(self, sentences: Sentences) -> None:
        super().__init__("; ".join(what for each in sentences.values() for what in each))
        self.sentences = sentences


def current() -> Snapshots:
    """Take the snapshots of the code."""
    return {body.TYPE: schema_of(body) for body in all_bodies().values()} | {TOPICS: snapshot()}


def schema_of(body: type[Body]) -> Mapping[str, Any]:
    """The JSON Schema of a record type, with the field names of the records."""
    return {"$schema": _DIALECT, **body.model_json_schema(by_alias=True, mode="validation")}


def committed(folder: Path = FOLDER) -> Snapshots:
    """Read the snapshots in `folder`."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def difference(old: Snapshots, new: Snapshots) -> Difference:
    """Compare two sets of snapshots."""
    breaking = {name: changes for name in old if (changes := _breaking(name, old, new))}
    drifted = sorted(name for name in old.keys() | new.keys() if _differs(name, old, new))
    return Difference(breaking, tuple(drifted))


def write(
    snapshots: Snapshots, folder: Path = FOLDER, allow_breaking: Collection[str] = ()
) -> tuple[str, ...]:
    """Write `snapshots` to `folder`; return the names of those that changed.

    Raises:
        Breaking: a change breaks a snapshot that is not in `allow_breaking`; nothing is written.
    """
    changed = difference(committed(folder), snapshots)
    refused = {name: why for name, why in changed.breaking.items() if name not in allow_breaking}
    if refused:
        raise Breaking(refused)
    for name in changed.drifted:
        path = folder / f"{name}.json"
        if name in snapshots:
            path.write_text(formatted(snapshots[name]))
        else:
            path.unlink()
    return changed.drifted


def formatted(value: Mapping[str, Any]) -> str:
    """The text of a snapshot, with sorted keys, so that a diff is small."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _breaking(name: str, old: Snapshots, new: Snapshots) -> list[str]:
    if name not in new:
        return [f"{name}: the record type was removed: its readers and writers lose it"]
    if name == TOPICS:
        return breaking_topic_changes(old[name], new[name])
    return [f"{name} {change}" for change in breaking_changes(old[name], new[name])]


def _differs(name: str, old: Snapshots, new: Snapshots) -> bool:
    return name not in old or name not in new or formatted(old[name]) != formatted(new[name])
