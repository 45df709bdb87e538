"""Amounts with their units, as a patient reads them."""

from decimal import Decimal

import pytest

from services.notification.amounts import amount


@pytest.mark.parametrize(
    ("quantity", "unit", "nl", "en"),
    [
        ("180", "stuk", "180 stuks", "180 pieces"),
        ("1", "stuk", "1 stuk", "1 piece"),
        ("0.5", "stuk", "0,5 stuks", "0.5 pieces"),
        ("300", "ml", "300 ml", "300 ml"),
        ("2.5", "milliliter", "2,5 ml", "2.5 ml"),
        ("0.4", "ml", "0,4 ml", "0.4 ml"),
        ("12.25", "ml", "12,25 ml", "12.25 ml"),
        ("30", "gram", "30 gram", "30 grams"),
        ("1", "gram", "1 gram", "1 gram"),
        ("200", "dosis", "200 doses", "200 doses"),
        ("1", "dosis", "1 dosis", "1 dose"),
        ("100", "druppel", "100 druppels", "100 drops"),
        ("90", "tablet", "90 tabletten", "90 tablets"),
        (
            "1500",
            "internationale eenheid",
            "1500 internationale eenheden",
            "1500 international units",
        ),
    ],
)
def test_an_amount_has_its_unit_in_the_words_of_the_language(
    quantity: str, unit: str, nl: str, en: str
) -> None:
    of = Decimal(quantity)
    assert (amount(of, unit, "nl"), amount(of, unit, "en")) == (nl, en)


@pytest.mark.parametrize(
    ("spelled", "shown"),
    [
        ("stuk", "2 stuks"),
        ("Stuk", "2 stuks"),
        ("STUK", "2 stuks"),
        (" stuks ", "2 stuks"),
        ("st.", "2 stuks"),
        ("ML", "2 ml"),
        ("mililiter", "2 ml"),
        ("Milliliter", "2 ml"),
        ("IE", "2 internationale eenheden"),
        ("I.E.", "2 internationale eenheden"),
        ("Internationale  Eenheid", "2 internationale eenheden"),
    ],
)
def test_a_unit_is_known_in_any_spelling(spelled: str, shown: str) -> None:
    assert amount(Decimal(2), spelled, "nl") == shown


def test_an_unknown_unit_is_shown_as_it_is() -> None:
    assert amount(Decimal(2), "zakje A", "nl") == amount(Decimal(2), "zakje A", "en") == "2 zakje A"


@pytest.mark.parametrize("unit", ["10 ml flacon", "\u200b10 ml flacon"])
def test_an_unknown_unit_that_begins_with_a_number_does_not_extend_the_amount(unit: str) -> None:
    assert amount(Decimal(3), unit, "nl") == "3 × 10 ml flacon"


@pytest.mark.parametrize("unit", [None, "", " ", "\u00a0", "\u200b"])
def test_without_a_unit_the_number_stands_alone(unit: str | None) -> None:
    assert amount(Decimal(90), unit, "nl") == amount(Decimal(90), unit, "en") == "90"


def test_a_thousand_has_no_separator_that_reads_as_a_decimal_one() -> None:
    assert amount(Decimal(1000), "stuk", "nl") == "1000 stuks"
    assert amount(Decimal("1000.5"), "ml", "en") == "1000.5 ml"


def test_an_amount_in_any_form_of_the_number_reads_the_same() -> None:
    forms = ("180", "180.0", "180.00", "1.8E+2")
    assert {amount(Decimal(form), "stuk", "nl") for form in forms} == {"180 stuks"}
