"""Every rule has its sentences in both languages, and facts that say why it holds."""

import pytest

from schemas.reasons import LANGUAGES, Language
from services.ordering.domain.rules import RULES
from services.ordering.explanations import texts
from services.ordering.explanations.facts import FACTS
from tests.unit.ordering.line_facts import HOLDS, WORDS, facts

NAMES = [rule.name for rule in RULES]


def test_every_rule_has_its_texts_in_the_order_of_the_table() -> None:
    assert [*texts.RULES] == NAMES


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_a_rule_has_three_sentences_in_each_language(name: str, language: Language) -> None:
    text = texts.RULES[name]
    said = [text.question[language], text.yes[language], text.no[language]]
    assert said[0].endswith("?")
    assert all(each.endswith(".") for each in said[1:])
    assert len({*said}) == len(said)


@pytest.mark.parametrize("name", NAMES)
def test_the_languages_differ_and_no_two_rules_say_the_same(name: str) -> None:
    text = texts.RULES[name]
    assert text.yes["nl"] != text.yes["en"]
    assert [other for other in NAMES if texts.RULES[other].yes == text.yes] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_what_makes_a_rule_hold_is_seen_in_its_facts(name: str) -> None:
    """Given facts for which it holds, and a plain repeat; then a fact that it names differs."""
    held, plain = facts(HOLDS[name]), facts()
    named = texts.RULES[name].facts
    assert any(FACTS[fact].value(held, "en") != FACTS[fact].value(plain, "en") for fact in named)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_every_fact_has_a_value_in_words(name: str, language: Language) -> None:
    for each in FACTS.values():
        value = each.value(facts(HOLDS[name]), language)
        assert value
        assert WORDS not in value, "a remark is not a fact"
        assert each.label[language]


def test_every_fact_is_looked_at_by_a_rule() -> None:
    assert {fact for text in texts.RULES.values() for fact in text.facts} == {*FACTS}


def test_the_facts_of_a_rule_do_not_repeat() -> None:
    assert all(len({*text.facts}) == len(text.facts) for text in texts.RULES.values())
