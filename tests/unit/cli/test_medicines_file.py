"""A list of medicine groups is checked as a whole; each error names its line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.console import UserError
from cli.medicines import read_list
from cli.medicines.file import check
from schemas.base import RiskClass
from schemas.medicine_groups import MedicineGroups, group_of
from schemas.records.medicines import MedicineGroup, MedicineList

STARTER = Path(__file__).parents[3] / "deploy" / "lists" / "medicines-nl.yaml"
PRK = "1007"

GOOD = """\
name: nl
dated: 2026-11-28
atc_version: "2024"
signed_by: J. Voorbeeld, huisarts, en A. Vijzel, apotheker
groups:
  - atc: [N05A]
    name: {nl: Antipsychotica, en: Antipsychotics}
    risk_class: B
    must_not_stop: 2
    control_months: 12
    sources: [NHG]
    sure: M
    valid_from: 2026-11-28
  - atc: [N05AN01, N05AN]
    name: {nl: Lithium, en: Lithium}
    risk_class: A
    must_not_stop: 1
    control_months: 3
    except_prk: ["1007"]
    sources: [NHG]
    sure: M
    valid_from: 2026-11-28
    note: {nl: Spiegel, en: Level}
"""


def _found(tmp_path: Path, text: str) -> list[str]:
    """Return every finding, without the name of the file."""
    file = tmp_path / "medicines.yaml"
    file.write_text(text, encoding="utf-8")
    checked = check(file)
    assert (checked.content is None) == bool(checked.lines(warnings=False))
    lines = (*checked.lines(warnings=False), *checked.lines(warnings=True))
    return [line.removeprefix(f"{file}:") for line in lines]


def test_a_good_list_has_no_findings(tmp_path: Path) -> None:
    assert _found(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (
            "[N05AN01, N05AN]",
            "[N05AN01, N05AN1]",
            "14: groups[1].atc[1]: must be an ATC code, or its first 1, 3, 4 or 5 characters, such as N05A",
        ),
        (
            "[N05AN01, N05AN]",
            "[]",
            "14: groups[1].atc: tuple should have at least 1 item after validation, not 0",
        ),
        (
            "[N05AN01, N05AN]",
            "[N05AN01, N05A]",
            "14: groups[1].atc[1]: N05A is there already, on line 6",
        ),
        (
            "[N05AN01, N05AN]",
            "[N05AN01, N05AN01]",
            "14: groups[1].atc[1]: N05AN01 is there already, on line 14",
        ),
        (
            '["1007"]',
            '["lithium"]',
            "19: groups[1].except_prk[0]: must be a PRK code: 1 to 8 digits, in quotes",
        ),
        (
            '"2024"',
            '"24"',
            '3: atc_version: must be a year in quotes, such as "2024"',
        ),
        ('"2024"', "2024", "3: atc_version: must be a text; put it in quotes"),
        (
            "risk_class: B",
            "risk_class: D",
            "8: groups[0].risk_class: input should be 'A', 'B' or 'C'",
        ),
        (
            "must_not_stop: 2",
            "must_not_stop: 3",
            "9: groups[0].must_not_stop: input should be 1 or 2",
        ),
        (
            "    risk_class: B",
            "    riskclass: B",
            "8: groups[0].riskclass: is no known key; did you mean risk_class?",
        ),
        ("en: Level}", "de: Spiegel}", "23: groups[1].note.de: is no known key"),
        ("nl: Lithium, ", "", "15: groups[1].name.nl: is missing"),
        (
            "name: nl",
            "name: nl\nversion: 2",
            "2: version: is not written here: `apply` counts the versions",
        ),
        ("dated: 2026-11-28", "dated: november", "2: dated: must be a day such as 2026-12-24"),
        (
            "    valid_from: 2026-11-28\n    note",
            "    valid_from: 2027-01-01\n    note",
            "22: groups[1].valid_from: is after 2026-11-28: what is in a list counts as soon as it is applied",
        ),
        (GOOD, "- atc", "1: must have the keys name, dated, atc_version and groups"),
    ],
)
def test_an_error_names_its_line(tmp_path: Path, old: str, new: str, found: str) -> None:
    assert found in _found(tmp_path, GOOD.replace(old, new))


def test_the_errors_of_all_groups_are_found_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("risk_class: B", "risk_class: D").replace("risk_class: A", "risk_class: E")
    assert [line.split(":")[0] for line in _found(tmp_path, text)] == ["8", "16"]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (
            "signed_by: J. Voorbeeld, huisarts, en A. Vijzel, apotheker\n",
            "",
            [
                "1: signed_by: warning: is missing: nobody has signed this list, "
                "which is said where it is shown"
            ],
        ),
        (
            "    must_not_stop: 1\n",
            "",
            [
                "14: groups[1]: warning: N05AN is in N05A too (line 6), whose must_not_stop "
                "does not count for it: write must_not_stop here, or null"
            ],
        ),
        ("    must_not_stop: 1\n", "    must_not_stop: null\n", []),
        ("    control_months: 12\n", "", []),
    ],
)
def test_a_warning_names_what_is_surely_not_meant(
    tmp_path: Path, old: str, new: str, found: list[str]
) -> None:
    """Given a list that can be used; then a mark of a wider group that a narrower one loses is named."""
    assert _found(tmp_path, GOOD.replace(old, new)) == found


def test_a_list_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_list(tmp_path / "none.yaml")


def _in_starter_list(atc: str) -> MedicineGroup | None:
    entry = read_list(STARTER)
    return group_of(MedicineGroups(MedicineList(**dict(entry), version=1)), atc, PRK)


@pytest.mark.parametrize(
    ("atc", "risk_class", "must_not_stop", "most_days"),
    [
        ("N02AA01", "A", 2, 31),
        ("N05BA01", "A", 2, 31),
        ("N05AN01", "A", 1, None),
        ("N05AN", "A", 1, None),
        ("N05AH02", "A", 1, None),
        ("N05AH03", "B", 2, None),
        ("L04AX03", "A", 1, 31),
        ("L01BA01", "A", 1, 31),
        ("L04AD02", "A", 1, None),
        ("L04AB02", None, 1, None),
        ("N03AE01", "A", 1, 31),
        ("N03AX16", "B", 1, None),
        ("N02BF02", "B", 1, None),
        ("N03AF01", None, 1, None),
        ("B01AA07", "B", 1, None),
        ("B01AC06", None, 2, None),
        ("C07AA07", "B", 2, None),
        ("C07AB02", None, 2, None),
        ("C01BD01", "B", 2, None),
        ("C09AA02", "C", None, None),
        ("H03AA01", "C", 2, None),
        ("J01CA04", "B", None, 15),
    ],
)
def test_the_starter_list_says_who_approves_and_what_must_not_stop(
    atc: str, risk_class: str | None, must_not_stop: int | None, most_days: int | None
) -> None:
    """As in the survey of the field: a medicine of both of its lists has both marks."""
    group = _in_starter_list(atc)
    assert group is not None
    assert group.risk_class == (risk_class and RiskClass(risk_class))
    assert (group.must_not_stop, group.most_days) == (must_not_stop, most_days)


def test_only_methotrexate_is_taken_weekly() -> None:
    weekly = [group.atc for group in read_list(STARTER).groups if group.weekly]
    assert weekly == [("L04AX03", "L01BA01")]


def test_an_ordinary_medicine_is_in_no_group() -> None:
    assert _in_starter_list("A02BC01") is None


def test_the_starter_list_is_unsigned_and_its_only_warning_says_so() -> None:
    checked = check(STARTER)
    [warning] = checked.lines(warnings=True)
    assert "nobody has signed this list" in warning
    assert checked.good().signed_by is None


def test_the_command_exits_with_0_for_the_starter_list() -> None:
    result = CliRunner().invoke(app, ["medicines", "check", str(STARTER)])
    assert result.exit_code == 0
    assert result.stdout.endswith("41 groups of 68 ATC codes, no errors\n")
