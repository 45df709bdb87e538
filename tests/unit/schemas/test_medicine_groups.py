"""For each medicine the group with the longest prefix of its ATC code counts, in the list of its region."""

import random
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas.base import Atc, RiskClass
from schemas.medicine_groups import MedicineGroups, MedicineLists, group_of
from schemas.records.medicines import MedicineGroup, MedicineList, Wording

PRK, OTHER_PRK = "1007", "1015"

PARTS = ("N", "N05", "N05A", "N05AN", "N05AN01", "N05AH02", "N05B", "C", "C07AA07")
CODES = (*PARTS, "N05AN02", "N05AX08", "N06AB04", "A10A", "C07", "C07AB02")


def a_group(*atc: str, **fields: Any) -> MedicineGroup:
    made: dict[str, Any] = {
        "atc": atc,
        "name": Wording(nl=f"groep {atc[0]}", en=f"group {atc[0]}"),
        "valid_from": date(2026, 11, 28),
        "sources": ("made up",),
        "sure": "L",
    }
    return MedicineGroup(**(made | fields))


def a_list(*groups: MedicineGroup, name: str = "nl", version: int = 1) -> MedicineList:
    return MedicineList(
        name=name, dated=date(2026, 11, 28), atc_version="2024", groups=groups, version=version
    )


ANTIPSYCHOTICS = a_group("N05A", risk_class=RiskClass.B)
LITHIUM = a_group("N05AN01", risk_class=RiskClass.A)
DIURETICS = a_group("C03C", "C03A")
LIST = MedicineGroups(a_list(ANTIPSYCHOTICS, LITHIUM, DIURETICS))


@pytest.mark.parametrize(
    ("atc", "group"),
    [
        ("N05AX08", ANTIPSYCHOTICS),
        ("N05A", ANTIPSYCHOTICS),
        ("N05AN01", LITHIUM),
        ("N05AN", ANTIPSYCHOTICS),
        ("C03CA01", DIURETICS),
        ("C03AA03", DIURETICS),
        ("N05", None),
        ("N06AB04", None),
        (None, None),
    ],
)
def test_the_longest_prefix_counts(atc: str | None, group: MedicineGroup | None) -> None:
    assert group_of(LIST, atc, PRK) is group


def test_without_a_list_nothing_is_in_a_group() -> None:
    assert group_of(None, "N05AN01", PRK) is None


def test_for_a_medicine_that_a_group_excepts_the_next_wider_group_counts() -> None:
    without = a_group("N05AN01", except_prk=(PRK,))
    groups = MedicineGroups(a_list(ANTIPSYCHOTICS, without))
    assert group_of(groups, "N05AN01", PRK) is ANTIPSYCHOTICS
    assert group_of(groups, "N05AN01", OTHER_PRK) is without


@given(
    prefixes=st.lists(st.sampled_from(PARTS), min_size=1, unique=True),
    atc=st.sampled_from(CODES),
    excepted=st.sets(st.sampled_from(PARTS)),
    seed=st.integers(),
)
def test_the_longest_prefix_counts_in_whatever_order(
    prefixes: list[str], atc: str, excepted: set[str], seed: int
) -> None:
    """Given groups in any order, some of which except the medicine; then the longest of the others counts."""
    groups = [a_group(p, except_prk=(PRK,) if p in excepted else ()) for p in prefixes]
    random.Random(seed).shuffle(groups)
    matching = [p for p in prefixes if atc.startswith(p) and p not in excepted]
    found = group_of(MedicineGroups(a_list(*groups)), atc, PRK)
    assert (found and found.atc) == ((max(matching, key=len),) if matching else None)


def test_a_regions_own_list_counts_instead_of_the_national_one() -> None:
    own = a_group("N05A")
    lists = MedicineLists({"nl": a_list(LITHIUM), "Lindewaard": a_list(own, name="Lindewaard")})
    assert group_of(lists.of("Lindewaard"), "N05AN01", PRK) is own
    assert group_of(lists.of("Elders"), "N05AN01", PRK) is LITHIUM
    assert MedicineLists({}).of("Elders") is None


def test_a_list_is_indexed_once_and_again_when_its_row_changes() -> None:
    rows = {"nl": a_list(LITHIUM)}
    lists = MedicineLists(rows)
    first = lists.of("Elders")
    assert lists.of("Lindewaard") is first
    rows["nl"] = a_list(ANTIPSYCHOTICS, version=2)
    assert group_of(first, "N05AN01", PRK) is LITHIUM
    assert group_of(lists.of("Elders"), "N05AN01", PRK) is ANTIPSYCHOTICS


@pytest.mark.parametrize("code", ["N", "N05", "N05A", "N05AN", "N05AN01"])
def test_a_code_or_its_beginning_is_an_atc_code(code: str) -> None:
    assert TypeAdapter(Atc).validate_python(code) == code


@pytest.mark.parametrize(
    "code", ["", "n05a", "N0", "N05AN0", "N05AN011", "05AN01", "N05 A", "N05A\n"]
)
def test_what_is_no_atc_code_is_refused(code: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Atc).validate_python(code)
