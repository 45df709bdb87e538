"""The entries of an overview, as practices' systems send them."""

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from runtime.messages.digest import digest_of
from runtime.messages.encoding import encode
from schemas.contracts.snapshots import schema_of
from schemas.records.medication import (
    MAX_ENTRIES,
    EntryFlaw,
    FlawedEntry,
    Medication,
    MedicationImport,
    MedicationOverview,
    PartialDate,
)

ENTRY: dict[str, Any] = {
    "prk": "5487",
    "medicine": "Metformine tablet 500 mg",
    "status": "chronic",
    "dosage": "2x daags 1",
    "quantity": 180,
    "unit": "stuk",
}

_DATE: TypeAdapter[str] = TypeAdapter(PartialDate)


class TestPartialDates:
    @pytest.mark.parametrize(
        "written", ["1998", "1998-05", "1998-05-31", "2024-02-29", "0001-01-01", "9999"]
    )
    def test_a_day_a_month_or_a_year_stays_as_it_was_written(self, written: str) -> None:
        assert _DATE.validate_json(json.dumps(written), strict=True) == written
        jsonschema_rs.validate(_DATE.json_schema(), written)

    @pytest.mark.parametrize(
        "written",
        [
            *(
                "",
                "98",
                "0000",
                "1998-13",
                "1998-00",
                "1998-5",
                "1998-05-32",
                "1998-05-1",
                "199805",
            ),
            *("31-05-1998", "1998-05-31T00:00:00", "1998\n", " 1998", "199٨", "mei 1998"),
        ],
    )
    def test_text_that_is_no_such_date_is_refused(self, written: str) -> None:
        with pytest.raises(ValidationError):
            _DATE.validate_json(json.dumps(written), strict=True)
        assert not jsonschema_rs.is_valid(_DATE.json_schema(), written)

    @pytest.mark.parametrize("written", ["2023-02-29", "1900-02-29", "1998-04-31", "1998-02-30"])
    def test_a_day_that_the_calendar_does_not_have_is_refused(self, written: str) -> None:
        with pytest.raises(ValidationError):
            _DATE.validate_json(json.dumps(written), strict=True)

    def test_a_number_is_no_date(self) -> None:
        with pytest.raises(ValidationError):
            _DATE.validate_json("1998", strict=True)

    def test_a_date_known_as_a_year_or_month_is_read_and_written_as_it_is(self) -> None:
        sent = ENTRY | {"prescribed_on": "1998", "last_ordered_on": "2026-05"}
        read = Medication.model_validate_json(json.dumps(sent))
        assert (read.prescribed_on, read.last_ordered_on) == ("1998", "2026-05")
        assert json.loads(read.model_dump_json())["prescribed_on"] == "1998"

    @pytest.mark.parametrize(
        "wrong",
        [{"until": "2027-05"}, {"on": None}, {"by": "assistant"}, {"repeats": -1}],
    )
    def test_an_authorisation_is_a_gps_with_whole_dates(self, wrong: Any) -> None:
        given = {"by": "gp", "on": "2026-01-05", "until": "2027-01-05"}
        assert Medication.model_validate_json(json.dumps(ENTRY | {"authorisation": given}))
        with pytest.raises(ValidationError):
            Medication.model_validate_json(json.dumps(ENTRY | {"authorisation": given | wrong}))


IMPORT: dict[str, Any] = {
    "change_id": "0192aaaa-0000-7000-8000-00000000000a",
    "patient": "pat_anna0001",
    "by": {"role": "gp", "id": "gp-1"},
    "practice": "01999001",
}
OTHER = ENTRY | {"prk": "34371", "medicine": "Omeprazol capsule 20 mg"}

MARK = "ZQX"
"""Letters in no field name: to find them in a flaw proves a leak."""

REQUIRED: dict[str, list[Any]] = {
    "prk": ["", "5487a", 5487, None, "123456789"],
    "medicine": ["", "\u00a0 ", None, "a\x00b", "x" * 201, ["Metformine"]],
    "status": ["Chronic", "CHRONISCH", "J", True, None],
    "dosage": [None, 2, "a\x00b", "x" * 2001],
    "quantity": [0, -1, 0.005, "180", None, True, 100_001],
    "unit": ["", None, 1],
}
CLAIMS: dict[str, list[Any]] = {
    "atc": ["n05ba01", "N05BA0", "", 5],
    "risk_class": ["D", "a", 1],
    "control_due": ["2027-05", "31-12-2027", "2027-02-30"],
    "specialist": ["J", None],
    "weekly_packing": ["N", 0],
    "high_risk": ["J", 1, None, "true"],
    "repeat_service": ["N", 0, None],
}
DISPENSABLE: dict[str, list[Any]] = {
    "days_supply": [0, "90", 3651, {}],
    "last_ordered_on": ["98", "31-05-1998", 1998, "1998-02-30"],
    "prescribed_on": ["", "voorjaar 1998", [1998]],
    "authorisation": [{"by": "gp", "on": "2026-01-05", "until": "2027-05"}, "2027-01-01", []],
    "dispensed": [[{"on": "2026-01-05"}], {}, "90"],
    "reviewed_at": ["2026-06-01", "2026-06-01T09:30:00", "9999-12-31T23:59:59-01:00"],
}


def _cases(fields: dict[str, list[Any]]) -> list[tuple[str, Any]]:
    return [(field, value) for field, values in fields.items() for value in values]


def read(*entries: Any) -> MedicationImport:
    """An import of these entries, as it is read."""
    return MedicationImport.model_validate_json(json.dumps(IMPORT | {"medications": entries}))


def first(*entries: Any) -> FlawedEntry:
    """The first entry, which is flawed."""
    (entry, *_) = read(*entries).medications
    assert isinstance(entry, FlawedEntry)
    return entry


class TestFlaws:
    @pytest.mark.parametrize(("field", "value"), _cases(REQUIRED))
    def test_an_entry_that_is_wrong_in_a_required_field_is_left_out_and_the_others_are_read(
        self, field: str, value: Any
    ) -> None:
        entry = first(ENTRY | {field: value}, OTHER)
        assert (entry.wrong, entry.kept, entry.without_flaws()) == ((field,), False, None)
        assert read(ENTRY | {field: value}, OTHER).medications[1:] == read(OTHER).medications

    @pytest.mark.parametrize("field", REQUIRED)
    def test_a_missing_field_is_as_a_wrong_one(self, field: str) -> None:
        entry = first({name: value for name, value in ENTRY.items() if name != field}, OTHER)
        assert (entry.wrong, entry.kept) == ((field,), False)

    @pytest.mark.parametrize(("field", "value"), _cases(DISPENSABLE))
    def test_an_entry_that_is_wrong_in_a_field_that_may_be_unknown_is_kept_without_it(
        self, field: str, value: Any
    ) -> None:
        entry = first(ENTRY | {"high_risk": True, field: value})
        (whole,) = read(ENTRY | {"high_risk": True}).medications
        assert (entry.wrong, entry.kept) == ((field,), True)
        assert entry.without_flaws() == whole

    @pytest.mark.parametrize(("field", "value"), _cases(CLAIMS))
    def test_an_entry_whose_wrong_field_would_claim_something_when_absent_is_left_out(
        self, field: str, value: Any
    ) -> None:
        """Without `high_risk`, an entry says that its medicine is of no high risk."""
        entry = first(ENTRY | {field: value}, OTHER)
        assert (entry.wrong, entry.without_flaws()) == ((field,), None)

    def test_every_wrong_field_is_named_in_the_order_of_the_record(self) -> None:
        wrong = {"quantity": 0, "prk": "?", "days_supply": 0, "high_risk": "J"}
        assert first(ENTRY | wrong, OTHER).wrong == ("prk", "quantity", "days_supply", "high_risk")

    @pytest.mark.parametrize("sent", [None, 5, "Metformine", [], [ENTRY], True])
    def test_what_is_no_object_lacks_every_required_field(self, sent: Any) -> None:
        entry = first(sent, OTHER)
        assert (entry.wrong, entry.readable) == (tuple(REQUIRED), {})

    def test_a_flaw_names_the_medicine_and_fields_and_no_wrong_value(self) -> None:
        entry = first(ENTRY | {"dosage": [MARK], "unit": {MARK: 1}, MARK: MARK}, OTHER)
        assert entry.flaw(1) == EntryFlaw(
            position=1,
            prk=ENTRY["prk"],
            medicine=ENTRY["medicine"],
            fields=("dosage", "unit"),
            kept=False,
        )
        assert MARK not in repr(entry)

    def test_a_flaw_has_the_prk_code_without_leading_zeros(self) -> None:
        entry = first(ENTRY | {"prk": "00005487", "quantity": 0}, OTHER)
        assert entry.flaw(1).prk == "5487"

    def test_a_flaw_does_not_name_a_medicine_by_wrong_values(self) -> None:
        flaw = first(ENTRY | {"prk": MARK, "medicine": [MARK]}, OTHER).flaw(7)
        assert (flaw.position, flaw.prk, flaw.medicine) == (7, None, None)

    def test_a_list_of_which_no_entry_can_be_used_is_refused(self) -> None:
        with pytest.raises(ValidationError) as refused:
            read(ENTRY | {"quantity": 0, "unit": MARK}, ENTRY | {"prk": MARK}, None)
        (error,) = refused.value.errors()
        assert (error["loc"], error["type"]) == (("medications",), "no_usable_entry")
        assert error["msg"] == "No entry can be used; the first has a wrong or no quantity"

    def test_one_usable_entry_is_enough_also_one_with_a_flaw(self) -> None:
        assert len(read(None, ENTRY | {"days_supply": 0}).medications) == 2

    def test_an_empty_list_has_no_flaws(self) -> None:
        assert read().medications == ()

    @pytest.mark.parametrize("sent", [None, {}, "x", {"0": ENTRY}, [ENTRY] * (MAX_ENTRIES + 1)])
    def test_what_is_no_list_of_at_most_200_is_refused_whole(self, sent: Any) -> None:
        with pytest.raises(ValidationError):
            MedicationImport.model_validate_json(json.dumps(IMPORT | {"medications": sent}))

    def test_a_number_that_json_does_not_have_is_a_flaw(self) -> None:
        sent = json.dumps(IMPORT | {"medications": [OTHER | {"quantity": 90}, ENTRY]}).replace(
            "180", "NaN"
        )
        _, entry = MedicationImport.model_validate_json(sent).medications
        assert isinstance(entry, FlawedEntry)
        assert entry.wrong == ("quantity",)

    def test_the_contract_is_still_the_whole_entry(self) -> None:
        schema = dict(schema_of(MedicationImport))
        sent = IMPORT | {"medications": [ENTRY]}
        jsonschema_rs.validate(schema, sent)
        for field, value in _cases(REQUIRED | DISPENSABLE):
            if field not in ("last_ordered_on", "reviewed_at", "authorisation"):
                wrong = sent | {"medications": [ENTRY | {field: value}]}
                assert not jsonschema_rs.is_valid(schema, wrong)

    def test_an_overview_without_flaws_is_written_as_before_there_were_any(self) -> None:
        fields = IMPORT | {"version": 1, "changed_at": "2026-11-28T10:00:00Z", "medications": []}
        change = {name: IMPORT[name] for name in ("change_id", "by")} | {"kind": "import"}
        overview = MedicationOverview.model_validate_json(json.dumps(fields | {"change": change}))
        assert overview.flaws == ()
        assert b"flaws" not in encode(overview)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(MARK),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just(MARK), inner),
    max_leaves=4,
)
_entries = st.dictionaries(
    st.sampled_from([*Medication.model_fields, MARK]), _values, max_size=6
).map(lambda wrong: ENTRY | wrong)


@given(st.lists(_entries | _values, max_size=4))
@settings(max_examples=200, deadline=None)
def test_whatever_the_entries_are_one_good_entry_is_read_and_what_is_written_is_read_the_same(
    entries: list[Any],
) -> None:
    """So that what the API publishes is, for the loop, the change that the client sent."""
    command = read(ENTRY, *entries)

    assert command.medications[0] == Medication.model_validate_json(json.dumps(ENTRY))
    again = MedicationImport.model_validate_json(encode(command))
    assert again == command
    assert digest_of(again) == digest_of(command)
    for position, entry in enumerate(command.medications, start=1):
        if isinstance(entry, FlawedEntry):
            flaw = entry.flaw(position)
            assert set(flaw.fields) <= Medication.model_fields.keys()
            assert entry.kept is (entry.without_flaws() is not None)
            assert MARK not in repr(flaw.model_copy(update={"medicine": None}))
