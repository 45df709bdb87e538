"""`herhaal directory apply` on a real Kafka: what it publishes and reports."""

from itertools import count
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.directory import apply_directory, read_directory
from cli.entries.publishing import Report, State
from deploy.local import LocalStack
from runtime.kafka.admin import plan_topics
from samples.codes import pharmacy_code, practice_code
from schemas import topics
from schemas.records.directory import Directory, Pharmacy
from tests.harness.kafka import header, read_all

EXAMPLE = Path(__file__).parents[2] / "deploy" / "example" / "directory.yaml"


_numbers = count(100)


def _a_directory() -> Directory:
    """Return the example's first entries, under AGB codes that no other test uses."""
    example, number = read_directory(EXAMPLE), next(_numbers)
    return Directory(
        practices=(example.practices[0].model_copy(update={"agb": practice_code(number)}),),
        pharmacies=(example.pharmacies[0].model_copy(update={"agb": pharmacy_code(number)}),),
    )


def _states(report: Report, directory: Directory) -> list[tuple[State, int, tuple[str, ...]]]:
    mine = {p.agb for p in directory.practices} | {p.agb for p in directory.pharmacies}
    return [(row.state, row.version, row.changed) for row in report.rows if row.key in mine]


async def _versions(stack: LocalStack, agb: str) -> list[int]:
    records = await read_all(stack.kafka, topics.DIRECTORY_PHARMACIES.name)
    return [Pharmacy.model_validate_json(r.value).version for r in records if r.key == agb.encode()]


async def test_only_what_changed_is_published_with_the_next_version(stack: LocalStack) -> None:
    directory = _a_directory()
    (pharmacy,) = directory.pharmacies
    first = await apply_directory(stack.kafka, directory)
    assert _states(first, directory) == [(State.NEW, 1, ()), (State.NEW, 1, ())]
    again = await apply_directory(stack.kafka, directory)
    assert _states(again, directory) == [(State.UNCHANGED, 1, ()), (State.UNCHANGED, 1, ())]
    moved = pharmacy.model_copy(update={"address": "Kerkstraat 1", "phone": "0123-456799"})
    changed = await apply_directory(
        stack.kafka, directory.model_copy(update={"pharmacies": (moved,)})
    )
    assert _states(changed, directory) == [
        (State.UNCHANGED, 1, ()),
        (State.CHANGED, 2, ("address", "phone")),
    ]
    assert await _versions(stack, pharmacy.agb) == [1, 2]


async def test_a_pharmacy_gets_its_own_topic(stack: LocalStack) -> None:
    directory = _a_directory()
    await apply_directory(stack.kafka, directory)
    own = [topics.prescriptions(pharmacy.agb) for pharmacy in directory.pharmacies]
    assert (await plan_topics(stack.kafka, own)).empty


async def test_what_is_not_in_the_file_is_left_alone_and_said_so(stack: LocalStack) -> None:
    one, other = _a_directory(), _a_directory()
    await apply_directory(stack.kafka, one)
    report = await apply_directory(stack.kafka, other)
    assert {state for state, _, _ in _states(report, one)} == {State.LEFT_ALONE}
    assert await _versions(stack, one.pharmacies[0].agb) == [1]


async def test_a_record_says_what_it_is(stack: LocalStack) -> None:
    directory = _a_directory()
    await apply_directory(stack.kafka, directory)
    key = directory.practices[0].agb.encode()
    records = await read_all(stack.kafka, topics.DIRECTORY_PRACTICES.name)
    (record,) = [r for r in records if r.key == key]
    assert header(record, "ce_type") == "nl.herhaal.directory.practice.v1"
    assert header(record, "ce_subject") == directory.practices[0].agb


def test_the_command_shows_what_became_of_each_entry(stack: LocalStack) -> None:
    arguments = ["directory", "apply", str(EXAMPLE), "--kafka", stack.kafka]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.output
    assert "Apotheek De Gouden Vijzel" in result.stdout
    assert "10 unchanged" in result.stdout


def test_an_apply_of_a_file_with_errors_publishes_nothing(
    stack: LocalStack, tmp_path: Path
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(EXAMPLE.read_text().replace("list_size: 4250", "list_size: many"))
    result = CliRunner().invoke(app, ["directory", "apply", str(file), "--kafka", stack.kafka])
    assert result.exit_code == 1
    assert "list_size: must be a whole number" in result.stderr


def test_a_kafka_that_is_away_is_one_sentence() -> None:
    arguments = ["directory", "apply", str(EXAMPLE), "--kafka", "127.0.0.1:1"]
    with pytest.raises(Exception, match=r"Kafka does not answer at 127\.0\.0\.1:1") as raised:
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert type(raised.value).__name__ == "UserError"
