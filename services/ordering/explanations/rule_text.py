"""What an explanation says of a rule."""

from collections.abc import Sequence

from msgspec import Struct

from services.ordering.explanations.words import Words, words

Said = tuple[str, str, str]
"""In one language: the question, the answer when the rule holds, and when it does not."""


class RuleText(Struct, frozen=True):
    """A rule in words: what it asks, what it says when it holds and when not, and the facts that it looks at.

    The sentences are for the patient as much as for the practice.
    """

    question: Words
    yes: Words
    no: Words
    facts: Sequence[str]


def rule_text(facts: str, nl: Said, en: Said) -> RuleText:
    """The text of a rule that looks at these facts, named with spaces between."""
    question, yes, no = [words(*said) for said in zip(nl, en, strict=True)]
    return RuleText(question, yes, no, tuple(facts.split()))
