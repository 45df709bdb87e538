"""Every reason has sentences for the patient in both languages, and a code for other systems."""

import pytest

from schemas.reasons import EXPLANATIONS, LANGUAGES, Language, ReasonCode

# PharmacySupplyRequestRenewalRefusalReasonCode of HL7 v3.
HL7_CODES = {
    "ALREADYRX", "FAMPHYS", "MODIFY", "NEEDAPMT", "NOTAVAIL", "NOTPAT", "ONHOLD", "PRNA",
    "STOPMED", "TOOEARLY",
}  # fmt: skip


def test_every_code_has_an_explanation_and_only_those() -> None:
    assert set(EXPLANATIONS) == set(ReasonCode)


@pytest.mark.parametrize("code", ReasonCode)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_a_reason_and_a_next_step_in_whole_sentences(
    code: ReasonCode, language: Language
) -> None:
    explained = EXPLANATIONS[code]
    for text in (explained.why[language], explained.next_step[language]):
        assert text[0].isupper()
        assert text.endswith((".", "?"))


@pytest.mark.parametrize("code", ReasonCode)
def test_the_languages_are_two(code: ReasonCode) -> None:
    explained = EXPLANATIONS[code]
    assert set(explained.why) == set(explained.next_step) == set(LANGUAGES)
    assert explained.why["nl"] != explained.why["en"]


@pytest.mark.parametrize("code", ReasonCode)
def test_every_code_has_a_code_of_hl7(code: ReasonCode) -> None:
    assert EXPLANATIONS[code].hl7 in HL7_CODES
