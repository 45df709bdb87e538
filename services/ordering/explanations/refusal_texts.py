"""The sentences of the rules that say why a line cannot be supplied as asked."""

from collections.abc import Mapping

from services.ordering.explanations.rule_text import RuleText, rule_text

_EARLY = "covered_until supply_days earliest_date ordered_on risk_class remark supply_until"

REFUSALS: Mapping[str, RuleText] = {
    "registered_elsewhere": rule_text(
        "registered_at",
        (
            "Is de patiënt bij een andere praktijk ingeschreven?",
            "De inschrijving is bij een andere praktijk.",
            "De inschrijving is niet bij een andere praktijk.",
        ),
        (
            "Is the patient registered with another practice?",
            "The registration is with another practice.",
            "The registration is not with another practice.",
        ),
    ),
    "overview_not_arrived": rule_text(
        "overview",
        (
            "Is het medicatieoverzicht er nog niet?",
            "Het medicatieoverzicht was er nog niet.",
            "Het medicatieoverzicht was er.",
        ),
        (
            "Has the medication overview not arrived yet?",
            "The medication overview had not arrived yet.",
            "The medication overview was there.",
        ),
    ),
    "not_in_overview": rule_text(
        "overview listed",
        (
            "Ontbreekt het medicijn in het medicatieoverzicht?",
            "Het medicijn stond niet in het medicatieoverzicht.",
            "Het medicijn ontbrak niet in een ontvangen overzicht.",
        ),
        (
            "Is the medicine missing from the medication overview?",
            "The medicine was not in the medication overview.",
            "The medicine was not missing from an overview that had arrived.",
        ),
    ),
    "temporary": rule_text(
        "status",
        (
            "Is het medicijn tijdelijk voorgeschreven?",
            "Het medicijn was tijdelijk voorgeschreven.",
            "Het medicijn was niet tijdelijk voorgeschreven.",
        ),
        (
            "Was the medicine prescribed temporarily?",
            "The medicine was prescribed temporarily.",
            "The medicine was not prescribed temporarily.",
        ),
    ),
    "stopped": rule_text(
        "status",
        (
            "Is het medicijn gestopt?",
            "Het medicijn was gestopt.",
            "Het medicijn was niet gestopt.",
        ),
        (
            "Was the medicine stopped?",
            "The medicine had been stopped.",
            "The medicine had not been stopped.",
        ),
    ),
    "covered_by_repeat_service": rule_text(
        "in_service connected pharmacy_service",
        (
            "Levert de apotheek het medicijn al vanzelf?",
            "Het medicijn komt al via de herhaalservice van de apotheek.",
            "Het medicijn komt niet vanzelf van deze apotheek.",
        ),
        (
            "Does the pharmacy supply the medicine by itself?",
            "The medicine comes through the pharmacy's repeat service already.",
            "The medicine does not come from this pharmacy by itself.",
        ),
    ),
    "under_way_already": rule_text(
        "under_way under_way_days other_strength",
        (
            "Loopt er al een bestelling van dit medicijn?",
            "Het medicijn was al besteld, en die bestelling liep nog.",
            "Er liep geen andere bestelling van dit medicijn.",
        ),
        (
            "Is another order of this medicine under way?",
            "The medicine was ordered already, and that order was still under way.",
            "No other order of this medicine was under way.",
        ),
    ),
    "too_early": rule_text(
        _EARLY,
        (
            "Is het te vroeg, zonder dat de bestelling zegt waarom?",
            "Er was nog genoeg van het medicijn, en de bestelling zei niet waarom er al meer nodig is.",
            "Het was niet te vroeg, of een mens moet ernaar kijken.",
        ),
        (
            "Is it too early, and does the order not say why?",
            "There was enough of the medicine, and the order did not say why more is needed already.",
            "It was not too early, or it is for a person to look at.",
        ),
    ),
    "authorisation_ended": rule_text(
        "authorised_until repeats_left ordered_on expired_authorisation",
        (
            "Is de machtiging voorbij, en herhaalt de praktijk dan niet?",
            "De machtiging van de huisarts was voorbij, en de praktijk herhaalt dan niet.",
            "De machtiging was niet voorbij, of de huisarts kijkt ernaar.",
        ),
        (
            "Is the authorisation over, and does the practice then not repeat?",
            "The GP's authorisation was over, and the practice does not repeat then.",
            "The authorisation was not over, or the GP looks at it.",
        ),
    ),
    "outside_order_hours": rule_text(
        "ordered_at order_hours",
        (
            "Is er besteld buiten de besteltijden van de praktijk?",
            "De praktijk nam op dat moment geen bestellingen aan.",
            "De praktijk nam op dat moment bestellingen aan.",
        ),
        (
            "Was it ordered outside the practice's order hours?",
            "The practice took no orders at that moment.",
            "The practice took orders at that moment.",
        ),
    ),
    "remark_not_allowed": rule_text(
        "remark remarks_allowed",
        (
            "Staat er een opmerking bij, en mag dat niet?",
            "Er stond een opmerking bij, en dat kan bij deze praktijk niet.",
            "Er stond geen opmerking bij, of dat mag bij deze praktijk.",
        ),
        (
            "Is there a remark, and is that not allowed?",
            "There was a remark, and this practice takes none.",
            "There was no remark, or this practice takes them.",
        ),
    ),
    "remark_missing": rule_text(
        "remark remarks_allowed",
        (
            "Ontbreekt een opmerking die de praktijk vraagt?",
            "De praktijk vraagt een opmerking bij elke bestelling, en die was er niet.",
            "Er ontbrak geen opmerking.",
        ),
        (
            "Is a remark missing that the practice asks for?",
            "The practice asks for a remark with every order, and there was none.",
            "No remark was missing.",
        ),
    ),
    "remark_too_long": rule_text(
        "remark_length remark_limit",
        (
            "Is de opmerking te lang?",
            "De opmerking was langer dan de praktijk toestaat.",
            "De opmerking was niet te lang.",
        ),
        (
            "Is the remark too long?",
            "The remark was longer than the practice allows.",
            "The remark was not too long.",
        ),
    ),
}
"""By the name of the rule."""
