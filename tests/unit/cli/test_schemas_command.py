"""`herhaal schemas` and `herhaal topics`, without Kafka."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import schemas, topics
from cli.console import UserError
from schemas.contracts import snapshots

RUN = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write the current snapshots to a folder."""
    snapshots.write(snapshots.current(), tmp_path)
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    return RUN.invoke(schemas.app, [*arguments, "--folder", str(folder)])


def spoil(folder: Path, old_field: str) -> None:
    """Add a required field that the code does not have to the snapshot of `order.place`."""
    path = folder / "order.place.v1.json"
    schema = json.loads(path.read_text())
    schema["properties"][old_field] = {"type": "string"}
    path.write_text(snapshots.formatted(schema))


def test_check_passes_when_nothing_changed(folder: Path) -> None:
    result = run(folder, "check")
    assert result.exit_code == 0
    assert "match the code" in result.output


def test_check_names_every_breaking_change(folder: Path) -> None:
    spoil(folder, "old_field")
    result = run(folder, "check")
    assert isinstance(result.exception, UserError)
    assert "order.place.v1 $.old_field: the field was removed" in str(result.exception)


def test_check_names_what_to_run_when_something_drifted(folder: Path) -> None:
    (folder / "order.place.v1.json").unlink()
    result = run(folder, "check")
    assert "./herhaal schemas snapshot" in str(result.exception)


def test_snapshot_refuses_to_break_until_the_type_is_named(folder: Path) -> None:
    spoil(folder, "old_field")
    refused = run(folder, "snapshot")
    assert "Nothing was written" in str(refused.exception)
    allowed = run(folder, "snapshot", "--allow-breaking", "order.place.v1")
    assert (allowed.exit_code, allowed.output.strip()) == (0, "order.place.v1")
    assert run(folder, "snapshot").output.strip() == "Nothing has changed."


def test_asyncapi_prints_the_document_of_a_service() -> None:
    result = RUN.invoke(schemas.app, ["asyncapi", "metrics", "--kafka", "127.0.0.1:9092"])
    assert json.loads(result.output)["servers"]["kafka-1"]["host"] == "127.0.0.1:9092"


def test_asyncapi_of_an_unknown_service_is_one_sentence() -> None:
    result = RUN.invoke(schemas.app, ["asyncapi", "nobody"])
    assert isinstance(result.exception, UserError)
    assert str(result.exception).startswith("there is no service nobody")


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_kafka_that_is_away_is_one_sentence(command: str) -> None:
    result = RUN.invoke(topics.app, [command, "--kafka", "127.0.0.1:1"])
    assert isinstance(result.exception, UserError)
    assert str(result.exception) == "Kafka does not answer at 127.0.0.1:1; is it running?"


@pytest.mark.parametrize("address", ["nonsense", "host:", ":9092", "a:1,b", "host:123456"])
def test_an_address_that_is_none_is_refused_before_anything_is_asked(address: str) -> None:
    assert RUN.invoke(topics.app, ["plan", "--kafka", address]).exit_code == 2
