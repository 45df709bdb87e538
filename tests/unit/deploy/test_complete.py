"""A backup is made only when the data folder has all that the stack had when it last ran."""

import shutil
import struct
from pathlib import Path

import pytest

from deploy.local.backup.cold import back_up
from deploy.local.contents import KAFKA, POSTGRES, Contents, write_contents
from deploy.local.data import DataFolder
from deploy.local.errors import StackError
from deploy.local.report import PlainReport

SYSTEM = 7_713_218_028_377_320_477
TOPIC = "kafka-1/log/orders.events-0"
DATABASE = "postgres/base/16388"


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    """Make the folder of a stopped stack, as far as a backup looks at it."""
    folder = DataFolder(tmp_path / "data")
    cluster = folder.open(brokers=1).kafka_cluster
    folder.close()
    for name in ("kafka-1/log/__cluster_metadata-0", TOPIC, "postgres/global", DATABASE):
        made = folder.path / name
        made.mkdir(parents=True)
        (made / "file").write_text("x")
    (folder.kafka(1) / "log" / "meta.properties").write_text(
        f"#\nversion=1\ncluster.id={cluster}\nnode.id=1\n"
    )
    (folder.postgres / "global" / "pg_control").write_bytes(struct.pack("=Q", SYSTEM) + bytes(504))
    held = {KAFKA: Contents(cluster, (TOPIC,)), POSTGRES: Contents(str(SYSTEM), (DATABASE,))}
    write_contents(folder, held)
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.tar.gz"


def refused(data: DataFolder, file: Path, why: str) -> None:
    with pytest.raises(StackError, match=why):
        back_up(data, file, PlainReport())
    assert not file.exists()


def test_a_folder_with_everything_is_backed_up(data: DataFolder, file: Path) -> None:
    back_up(data, file, PlainReport())
    assert file.exists()


@pytest.mark.parametrize("name", [TOPIC, DATABASE, "kafka-1/log/__cluster_metadata-0"])
def test_a_folder_that_is_gone_is_named(data: DataFolder, file: Path, name: str) -> None:
    shutil.rmtree(data.path / name)
    refused(data, file, f"would not be complete: .* has nothing in {name}, which the stack had")


@pytest.mark.parametrize("name", [TOPIC, DATABASE])
def test_a_folder_that_is_empty_is_named(data: DataFolder, file: Path, name: str) -> None:
    (data.path / name / "file").unlink()
    refused(data, file, f"has nothing in {name}")


def test_a_log_that_kafka_kept_elsewhere_is_missed(data: DataFolder, file: Path) -> None:
    """Given a Kafka that wrote to another folder than this one; then there is no backup without it."""
    shutil.move(data.kafka(1) / "log", data.path.parent / "elsewhere")
    refused(data, file, "Kafka's node 1 of this stack is .*, and in .* is none")


def test_a_stack_that_was_never_ready_is_held_to_what_every_stack_has(
    data: DataFolder, file: Path
) -> None:
    data.contents.unlink()
    shutil.rmtree(data.path / "postgres" / "global")
    refused(data, file, "has nothing in postgres/global")


def test_a_kafka_of_the_users_own_is_not_mistaken_for_the_one_in_the_folder(
    data: DataFolder, file: Path
) -> None:
    """Given a folder with a Kafka of an earlier run; when the last run used another one; then no backup."""
    write_contents(data, {KAFKA: Contents("another-cluster")})
    refused(data, file, r"Kafka of this stack is another-cluster, and in .* \(HERHAAL_KAFKA")


def test_a_postgresql_of_the_users_own_is_not_mistaken_for_the_one_in_the_folder(
    data: DataFolder, file: Path
) -> None:
    write_contents(data, {POSTGRES: Contents("123")})
    refused(data, file, f"PostgreSQL of this stack is 123, and in .* is {SYSTEM}")


def test_contents_that_cannot_be_read_are_reported(data: DataFolder, file: Path) -> None:
    data.contents.write_text("[1]")
    refused(data, file, r"contents\.json is damaged")


def test_a_name_of_255_bytes_is_no_obstacle_to_a_backup(data: DataFolder, file: Path) -> None:
    longest = file.with_name("x" * 255)
    back_up(data, longest, PlainReport())
    assert longest.exists()
