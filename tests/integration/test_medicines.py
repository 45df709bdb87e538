"""`herhaal medicines` on a real Kafka: a list is published when it changed, and the newest counts."""

import re
from itertools import count
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.console import UserError
from cli.entries.publishing import Report, State
from cli.medicines import apply_list, read_list
from cli.medicines.publish import read_lists
from deploy.local import LocalStack
from schemas.records.medicines import MedicineList, MedicineListEntry
from schemas.topics import DIRECTORY_MEDICINES
from tests.harness.kafka import header, read_all

STARTER = Path(__file__).parents[2] / "deploy" / "lists" / "medicines-nl.yaml"

_numbers = count(1)


def _a_list() -> MedicineListEntry:
    """The starter list, as that of a region that no other test uses."""
    return read_list(STARTER).model_copy(update={"name": f"Regio {next(_numbers)}"})


def _mine(report: Report, name: str) -> list[tuple[State, int, tuple[str, ...]]]:
    return [(row.state, row.version, row.changed) for row in report.rows if row.key == name]


async def _versions(stack: LocalStack, name: str) -> list[int]:
    records = await read_all(stack.kafka, DIRECTORY_MEDICINES.name)
    mine = [record for record in records if record.key == name.encode()]
    assert {header(r, "ce_type") for r in mine} == {"nl.herhaal.directory.medicines.v1"}
    return [MedicineList.model_validate_json(record.value).version for record in mine]


async def test_a_list_is_published_once_and_again_when_it_changed(stack: LocalStack) -> None:
    list_ = _a_list()
    signed = list_.model_copy(update={"signed_by": "J. Voorbeeld", "groups": list_.groups[:3]})
    reports = [await apply_list(stack.kafka, each) for each in (list_, list_, signed, signed)]
    assert [_mine(report, list_.name) for report in reports] == [
        [(State.NEW, 1, ())],
        [(State.UNCHANGED, 1, ())],
        [(State.CHANGED, 2, ("signed_by", "groups"))],
        [(State.UNCHANGED, 2, ())],
    ]
    assert await _versions(stack, list_.name) == [1, 2]
    newest = (await read_lists(stack.kafka))[list_.name]
    assert (newest.version, newest.signed_by, newest.groups) == (
        2,
        "J. Voorbeeld",
        list_.groups[:3],
    )


async def test_a_list_of_another_region_is_left_alone(stack: LocalStack) -> None:
    one, other = _a_list(), _a_list()
    await apply_list(stack.kafka, one)
    report = await apply_list(stack.kafka, other)
    assert _mine(report, one.name) == [(State.LEFT_ALONE, 1, ())]
    assert await _versions(stack, one.name) == [1]


def test_a_list_that_nobody_signed_says_so_wherever_it_is_shown(stack: LocalStack) -> None:
    """Given the starter list on Kafka, twice applied; then each command says that nobody signed it."""
    kafka = ("--kafka", stack.kafka)
    shown = [_run("apply", str(STARTER), *kafka) for _ in range(2)]
    shown += [_run("show", *kafka), _run("show", "n05an01", *kafka)]
    assert all("nobody" in each for each in shown)
    assert "1 unchanged" in shown[1]
    everything, lithium = shown[2:]
    assert re.match(r"nl, version \d+ of 2026-11-28, ATC index 2024; signed by nobody", everything)
    assert "Methotrexaat" in everything
    assert "N05AN01, N05AN: Lithium" in lithium
    assert "must not stop  list 1" in lithium
    assert "Antipsychotica" not in lithium


def test_a_code_in_no_group_is_said_to_be_in_none(stack: LocalStack) -> None:
    _run("apply", str(STARTER), "--kafka", stack.kafka)
    assert "A02BC01 is in no group" in _run("show", "A02BC01", "--kafka", stack.kafka)


def test_for_a_region_its_own_list_is_shown(stack: LocalStack, tmp_path: Path) -> None:
    file, kafka = tmp_path / "own.yaml", ("--kafka", stack.kafka)
    written = STARTER.read_text().replace(
        "name: nl\n", "name: Eigenwijk\nsigned_by: J. Voorbeeld\n"
    )
    file.write_text(written)
    _run("apply", str(STARTER), *kafka)
    _run("apply", str(file), *kafka)
    own = _run("show", "--region", "Eigenwijk", *kafka)
    assert own.startswith("Eigenwijk, version 1 of 2026-11-28")
    assert "signed by J. Voorbeeld" in own
    assert _run("show", "--region", "Elders", *kafka).startswith("nl, version ")


def test_a_list_with_errors_publishes_nothing(stack: LocalStack, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(
        STARTER.read_text().replace("name: nl\n", "name: Bad\n").replace("N05AN]", "N5]")
    )
    result = CliRunner().invoke(app, ["medicines", "apply", str(file), "--kafka", stack.kafka])
    assert result.exit_code == 1
    assert "must be an ATC code" in result.stderr
    assert "Bad" not in _run("apply", str(STARTER), "--kafka", stack.kafka)


def test_a_kafka_that_is_away_is_one_sentence() -> None:
    arguments = ["medicines", "show", "--kafka", "127.0.0.1:1"]
    with pytest.raises(UserError, match=r"Kafka does not answer at 127\.0\.0\.1:1"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)


def _run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["medicines", *arguments], env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.output
    return result.stdout
