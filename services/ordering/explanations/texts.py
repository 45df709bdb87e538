"""All sentences of explanations: of every rule, and of what is not kept."""

from collections.abc import Mapping

from services.ordering.explanations.refusal_texts import REFUSALS
from services.ordering.explanations.review_texts import REVIEWS
from services.ordering.explanations.rule_text import RuleText
from services.ordering.explanations.words import words

RULES: Mapping[str, RuleText] = {**REFUSALS, **REVIEWS}
"""By the name of the rule (`Rule.name`)."""

NO_FACTS = words(
    "De gegevens waarop de regels toen beslisten, zijn niet meer bewaard.",
    "The facts that the rules read then are not kept any more.",
)
OTHER_RULES = words(
    "De regels zijn sindsdien veranderd: alleen wat toen gold, is nog te zien.",
    "The rules have changed since: only what held then can still be shown.",
)
NO_POLICY = words(
    "De keuzes van de praktijk van toen zijn niet meer bewaard.",
    "The practice's choices of then are not kept any more.",
)
NOT_COMPLETE = words(
    "Niet alles wat met deze bestelling gebeurde, is bewaard. Dit is wat nog bekend is.",
    "Not everything that happened to this order is kept. This is what is still known.",
)
