"""A directory file is checked as a whole; each error names its line."""

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.console import UserError
from cli.directory import read_directory
from cli.directory.file import check
from cli.directory.hours import wrong_hours

EXAMPLE = Path(__file__).parents[3] / "deploy" / "example" / "directory.yaml"
TODAY = date(2026, 11, 23)

GOOD = """\
practices:
  - agb: 01999001
    name: De Linde
    region: Lindewaard
    list_size: 4250
    phone: 0123-456710
    opening_hours: "Mo-Fr 08:00-17:00; PH off"
    processing:
      cutoff: 11:00
      working_days: 2
      ready_from: 15:30
    policy:
      withdraw_when_stopped: false
pharmacies:
  - agb: "02999001"
    name: De Vijzel
    address: Marktplein 4
    city: Lindewaard
    phone: 0123-456730
    opening_hours: "24/7"
    closures:
      - first: 2026-12-24
        last: 2026-12-26
"""


def _found(tmp_path: Path, text: str) -> list[str]:
    """Return every finding, without the name of the file."""
    file = tmp_path / "directory.yaml"
    file.write_text(text, encoding="utf-8")
    checked = check(file, TODAY)
    assert (checked.content is None) == bool(checked.lines(warnings=False))
    lines = (*checked.lines(warnings=False), *checked.lines(warnings=True))
    return [line.removeprefix(f"{file}:") for line in lines]


def test_a_good_file_has_no_findings(tmp_path: Path) -> None:
    assert _found(tmp_path, GOOD) == []


def test_the_example_is_good_and_has_differing_rules() -> None:
    directory = read_directory(EXAMPLE)
    assert (len(directory.practices), len(directory.pharmacies)) == (2, 3)
    assert len({str(p.processing) for p in directory.practices}) == 2
    assert len({p.policy.model_dump_json() for p in directory.practices}) == 2
    assert len({p.opening_hours for p in directory.pharmacies}) == 3


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (
            "agb: 01999001",
            "agb: 0101",
            "2: practices[0].agb: must be a practice's AGB code: 8 digits, the first two 01",
        ),
        (
            'agb: "02999001"',
            'agb: "03999001"',
            "15: pharmacies[0].agb: must be a pharmacy's AGB code: 8 digits, the first two 02, "
            "or 01 for a GP practice that dispenses",
        ),
        (
            "city: Lindewaard",
            "city: 's-Hertogenbosch",
            """18: has a quote that is not closed on its line; \
put a text with an apostrophe in double quotes, such as "'s-Hertogenbosch\"""",
        ),
        ("    region: Lindewaard\n", "", "2: practices[0].region: is missing"),
        ("list_size: 4250", "list_size: 4.250,5", "5: practices[0].list_size: must be a whole number"),
        ("name: De Linde", "name:", "3: practices[0].name: is empty"),
        (
            "phone: 0123-456710",
            "phone: 123456710",
            "6: practices[0].phone: must be a text; put it in quotes",
        ),
        (
            '"Mo-Fr 08:00-17:00; PH off"',
            '"Ma-Vr 08:00-17:00"',
            "7: practices[0].opening_hours: is not in the opening_hours format, from character 1 on; "
            "such as: Mo-Fr 08:00-18:00; PH off",
        ),
        (
            "cutoff: 11:00",
            "cutoff: 9:00",
            "9: practices[0].processing.cutoff: must be a time such as 09:30",
        ),
        (
            "cutoff: 11:00",
            "cutoff: 11:00+01:00",
            "9: practices[0].processing.cutoff: clock times are Europe/Amsterdam and carry no offset",
        ),
        (
            "cutoff: 11:00",
            "cut_off: 11:00",
            "9: practices[0].processing.cut_off: is no known key; did you mean cutoff?",
        ),
        (
            "working_days: 2",
            "working_days: 21",
            "10: practices[0].processing.working_days: input should be less than or equal to 20",
        ),
        (
            "withdraw_when_stopped: false",
            "withdraw_when_stopped: no",
            "13: practices[0].policy.withdraw_when_stopped: must be true or false",
        ),
        (
            "withdraw_when_stopped: false",
            "withdraw_when_stoped: false",
            "13: practices[0].policy.withdraw_when_stoped: is no known key; "
            "did you mean withdraw_when_stopped?",
        ),
        (
            "city: Lindewaard",
            "city: Lindewaard\n    version: 3",
            "19: pharmacies[0].version: is not written here: `apply` counts the versions",
        ),
        ("pharmacies:", "farmacies:", "14: farmacies: is no known key; did you mean pharmacies?"),
        ("last: 2026-12-26", "last: 2026-12-20", "22: pharmacies[0].closures[0]: "
         "a closure ends before it starts"),
        ("last: 2026-12-26", "last: 26-12-2026", "23: pharmacies[0].closures[0].last: "
         "must be a day such as 2026-12-24"),
        ("name: De Vijzel", "name: De Vijzel\n    name: De Mortier",
         "17: pharmacies[0].name: is there already, on line 16"),
        ("city: Lindewaard", "city: &c Lindewaard\n    address: *c",
         "19: pharmacies[0].address: is there already, on line 17"),
    ],
)  # fmt: skip
def test_an_error_names_its_line_its_place_and_what_is_wrong(
    tmp_path: Path, old: str, new: str, found: str
) -> None:
    assert GOOD.count(old) == 1
    assert found in _found(tmp_path, GOOD.replace(old, new))


def test_all_errors_are_reported_in_the_order_of_their_lines(tmp_path: Path) -> None:
    text = GOOD.replace("list_size: 4250", "list_size: x").replace("cutoff: 11:00", "cutoff: x")
    found = _found(tmp_path, text.replace('"24/7"', '"24/8"'))
    assert [line.partition(":")[0] for line in found] == ["5", "9", "20"]


def test_an_agb_code_that_comes_twice_is_reported_at_the_second(tmp_path: Path) -> None:
    practices, _, pharmacies = GOOD.partition("pharmacies:")
    entry = practices.removeprefix("practices:\n")
    found = _found(tmp_path, f"practices:\n{entry}{entry}pharmacies:{pharmacies}")
    assert found == ["14: practices[1].agb: 01999001 is there already, on line 2"]


def test_a_closure_that_is_over_is_only_a_warning(tmp_path: Path) -> None:
    text = GOOD.replace("2026-12-24", "2025-12-24").replace("2026-12-26", "2025-12-26")
    assert _found(tmp_path, text) == ["22: pharmacies[0].closures[0]: warning: is over"]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "- a\n", "just words\n"])
def test_a_file_that_holds_no_directory_is_reported(tmp_path: Path, text: str) -> None:
    assert _found(tmp_path, text) == ["1: must have the keys practices and pharmacies"]


def test_a_file_that_is_no_yaml_is_reported_with_its_line(tmp_path: Path) -> None:
    (found,) = _found(tmp_path, "practices:\n\t- agb: 1\n")
    assert found.startswith("2: found character")


@pytest.mark.parametrize(
    ("hours", "wrong"),
    [
        ("Mo-Fr 08:00-18:00; SH off", "uses SH,"),
        ("Mo-Fr 08:00-18:00; sh off", "is not in the opening_hours format, from character 20 on;"),
        ("sunrise-sunset", "uses sunrise,"),
        ("Mo-Fr 08:00-SUNSET", "uses sunset,"),
        ("(sunrise+01:00)-18:00", "uses sunrise,"),
        ("Mo-Fr 09:00-12:00,Dawn-dusk", "uses dawn,"),
        ("Mo-Fr 17:00+", "uses 17:00+,"),
        ("Mo-Fr 10:00-16:00/01:30", "uses 10:00-16:00/01:30,"),
        ("Mo-Fr unknown", "is never open in the coming year"),
        ("2020 Mo-Fr 08:00-18:00", "is never open in the coming year"),
        ("Mo-Fr 08.00-18.00", "is not in the opening_hours format, from character 7 on;"),
    ],
)
def test_opening_hours_that_cannot_be_used_are_reported(hours: str, wrong: str) -> None:
    assert (wrong_hours(hours, TODAY) or "").startswith(wrong)


@pytest.mark.parametrize(
    "hours", ["24/7", "Mo-Su 20:00-02:00", "Mo-Fr 08:00-12:00,13:00-17:00; PH off"]
)
def test_usual_opening_hours_are_fine(hours: str) -> None:
    assert wrong_hours(hours, TODAY) is None


@pytest.mark.parametrize(("length", "fine"), [(201, True), (255, True), (256, False)])
def test_opening_hours_are_as_long_as_the_format_allows(
    tmp_path: Path, length: int, fine: bool
) -> None:
    hours = "Mo-Fr 08:00-17:00; PH off; Su off '".replace("'", '\\"')
    hours += "x" * (length - len(hours.replace("\\", "")) - 1) + '\\"'
    found = _found(tmp_path, GOOD.replace("24/7", hours))
    assert found == [] if fine else found[0].startswith("20: pharmacies[0].opening_hours: ")


def test_the_command_exits_with_1_and_prints_every_error(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(GOOD.replace("list_size: 4250", "list_size: x").replace("24/7", "24/8"))
    result = CliRunner().invoke(app, ["directory", "check", str(file)])
    assert result.exit_code == 1
    assert [line.split(":")[1] for line in result.stderr.splitlines()] == ["5", "20"]


def test_the_command_exits_with_0_for_the_example() -> None:
    result = CliRunner().invoke(app, ["directory", "check", str(EXAMPLE)])
    assert result.exit_code == 0
    assert result.stdout.endswith("2 practices, 3 pharmacies and 5 systems, no errors\n")


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_directory(tmp_path / "none.yaml")


def test_reading_a_file_with_errors_reports_them_all(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(GOOD.replace("list_size: 4250", "list_size: x").replace("24/7", "24/8"))
    with pytest.raises(UserError) as raised:
        read_directory(file)
    assert len(str(raised.value).splitlines()) == 2
