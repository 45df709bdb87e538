"""Names of three libraries that we patch, or use although private, exist in the installed, checked version.

When an upgrade fails here, check the modules below and their tests against the new version, then raise the
upper bound in pyproject.toml.
"""

import ast
import importlib
import tomllib
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement

from tests.architecture.source import PACKAGES, ROOT, files, imported, name, parsed

_READER = "runtime/kafka/record_reader.py"

USED = {
    "aiokafka": {
        "aiokafka.consumer.fetcher.MemoryRecords": _READER,
        "aiokafka.consumer.fetcher.PartitionRecords._consumer_record": _READER,
        "aiokafka.record.default_records.DefaultRecordBatch": _READER,
        "aiokafka.record.default_records._DefaultRecordBatchPy._maybe_uncompress": _READER,
        "aiokafka.record.memory_records._MemoryRecordsPy": _READER,
        "aiokafka.partitioner.murmur2": "runtime/messages/partitioner.py",
        "aiokafka.producer.message_accumulator.BatchBuilder": "runtime/kafka/producer.py",
        "aiokafka.coordinator.assignors.range.RangePartitionAssignor": "runtime/loop/polling.py",
    },
    "faststream": {
        "faststream.kafka.message.FAKE_CONSUMER": "runtime/loop/polling.py",
        "faststream.kafka.subscriber.usecase.BatchSubscriber.get_msg": "runtime/loop/polling.py",
    },
    "pydantic": {
        "pydantic._internal._model_construction.ModelMetaclass.__instancecheck__": "schemas/base.py",
    },
}
"""Names by library, each with the module that depends on it."""

_NAMES = [(library, name_) for library, names in USED.items() for name_ in names]


def _requirement(library: str) -> Requirement:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (found,) = [r for text in project["dependencies"] if (r := Requirement(text)).name == library]
    return found


def _there(dotted: str) -> bool:
    """Whether a dotted name exists: modules first, then attributes of the last module."""
    parts = dotted.split(".")
    for modules in range(len(parts) - 1, 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:modules]))
        except ModuleNotFoundError:
            continue
        for part in parts[modules:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@pytest.mark.parametrize("library", USED)
def test_the_installed_version_is_one_that_was_checked(library: str) -> None:
    checked, installed = _requirement(library).specifier, version(library)
    assert any(bound.operator in ("<", "<=", "==") for bound in checked), (
        f"{library} has no upper bound in pyproject.toml, and we rest on what it may change"
    )
    assert checked.contains(installed), (
        f"{library} {installed} is installed; what we rest on was checked with {checked} only: "
        f"read {', '.join(sorted({*USED[library].values()}))} against it, then raise the bound"
    )


@pytest.mark.parametrize(("library", "dotted"), _NAMES)
def test_what_we_rest_on_is_there(library: str, dotted: str) -> None:
    where = USED[library][dotted]
    assert _there(dotted), f"{dotted} is gone from {library} {version(library)}; {where} needs it"
    assert (ROOT / where).exists()


def test_a_name_that_is_gone_is_noticed() -> None:
    assert not _there("aiokafka.partitioner.murmur3")
    assert not _there("aiokafka.consumer.fetcher.PartitionRecords._no_such")
    assert not _there("no_such_package.at_all")


def test_every_private_name_that_is_imported_is_named_here() -> None:
    """Covers imports of other packages in shipped code. A new private name needs an upper bound and a test."""
    private = {
        module
        for path in files(*PACKAGES)
        for module in imported(path)
        if module.partition(".")[0] not in PACKAGES and _is_private(module)
    }
    named = [dotted for _, dotted in _NAMES]
    assert {m for m in private if not any(dotted.startswith(m) for dotted in named)} == set()


def test_no_private_attribute_of_pydantic_reads_or_writes_records() -> None:
    """Only `model_validate_json` and `model_dump_json` read and write records."""
    private = ("__pydantic_validator__", "__pydantic_serializer__")
    found = [
        f"{name(path)}:{node.lineno}"
        for path in files(*PACKAGES)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and node.attr in private
    ]
    assert found == []


def _is_private(module: str) -> bool:
    return any(part.startswith("_") and not part.startswith("__") for part in module.split("."))
