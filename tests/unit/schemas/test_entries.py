"""The entries of an overview, as practices' systems send them."""

import json
from typing import Any

import jsonschema_rs
import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.records.medication import Medication, PartialDate

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

    def test_the_end_of_an_authorisation_is_a_whole_date(self) -> None:
        with pytest.raises(ValidationError):
            Medication.model_validate_json(json.dumps(ENTRY | {"authorised_until": "2027-05"}))
