"""Migration files: names and order."""

from pathlib import Path

import pytest

from runtime.postgres import migrations

ROOT = Path(__file__).parents[3]


def test_files_are_ordered_by_number_and_named_after_their_service(tmp_path: Path) -> None:
    for name in ("0010_third.sql", "0002_second.sql", "0001_first.sql"):
        (tmp_path / name).write_text(f"-- {name}")
    read = migrations.read("ordering", tmp_path)
    assert [m.name for m in read] == [
        "ordering/0001_first.sql",
        "ordering/0002_second.sql",
        "ordering/0010_third.sql",
    ]
    assert read[0].sql == "-- 0001_first.sql"


def test_a_folder_without_files_has_no_migrations(tmp_path: Path) -> None:
    assert migrations.read("ordering", tmp_path) == []


def test_the_checksum_depends_on_every_character() -> None:
    one, other = (migrations.Migration("x/0001_x.sql", sql) for sql in ("select 1", "select 1 "))
    assert one.checksum != other.checksum
    assert one.checksum == migrations.Migration("another name", "select 1").checksum


@pytest.mark.parametrize(
    "name", ["1_short.sql", "00001_long.sql", "orders.sql", "0001-orders.sql", "0001_Orders.sql"]
)
def test_a_file_with_an_invalid_name_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("select 1")
    with pytest.raises(ValueError, match=r"must be named NNNN_words\.sql"):
        migrations.read("ordering", tmp_path)


def test_two_files_with_the_same_number_are_an_error(tmp_path: Path) -> None:
    for name in ("0001_orders.sql", "0001_feed.sql"):
        (tmp_path / name).write_text("select 1")
    with pytest.raises(ValueError, match="each number once"):
        migrations.read("ordering", tmp_path)


@pytest.mark.parametrize(
    "folder", [migrations.RUNTIME, *sorted(ROOT.glob("services/*/migrations"))], ids=str
)
def test_the_migrations_of_this_repository_are_valid(folder: Path) -> None:
    assert migrations.read("x", folder)
