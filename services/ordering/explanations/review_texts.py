"""The sentences of the rules that say why a person looks at a line first."""

from collections.abc import Mapping

from services.ordering.explanations.rule_text import RuleText, rule_text

_EARLY = "covered_until supply_days earliest_date ordered_on risk_class remark supply_until"

REVIEWS: Mapping[str, RuleText] = {
    "pharmacy_not_connected": rule_text(
        "connected",
        (
            "Is de apotheek niet aangesloten?",
            "De apotheek was niet aangesloten: de praktijk stuurt het recept zelf.",
            "De apotheek was aangesloten.",
        ),
        (
            "Is the pharmacy not connected?",
            "The pharmacy was not connected: the practice sends the prescription itself.",
            "The pharmacy was connected.",
        ),
    ),
    "name_contradicts_code": rule_text(
        "ordered_name listed",
        (
            "Staat in de bestelling een andere naam dan in het overzicht?",
            "De naam in de bestelling was een andere dan in het medicatieoverzicht.",
            "De naam in de bestelling paste bij het medicatieoverzicht.",
        ),
        (
            "Does the order have another name than the overview?",
            "The name in the order was another one than in the medication overview.",
            "The name in the order fitted the medication overview.",
        ),
    ),
    "overview_incomplete": rule_text(
        "incomplete",
        (
            "Is het overzicht voor dit medicijn niet volledig?",
            "Het medicatieoverzicht was voor dit medicijn niet volledig.",
            "Het medicatieoverzicht was voor dit medicijn volledig.",
        ),
        (
            "Is the overview not complete for this medicine?",
            "The medication overview was not complete for this medicine.",
            "The medication overview was complete for this medicine.",
        ),
    ),
    "medicine_twice": rule_text(
        "times",
        (
            "Staat het medicijn vaker in de bestelling?",
            "Het medicijn stond meer dan één keer in de bestelling.",
            "Het medicijn stond één keer in de bestelling.",
        ),
        (
            "Is the medicine in the order more than once?",
            "The medicine was in the order more than once.",
            "The medicine was in the order once.",
        ),
    ),
    "other_repeat_service": rule_text(
        "in_service connected pharmacy_service",
        (
            "Komt het medicijn via de herhaalservice van een andere apotheek?",
            "Het medicijn zit in een herhaalservice, en de gekozen apotheek heeft er geen.",
            "Een andere herhaalservice speelde niet mee.",
        ),
        (
            "Does the medicine come through another pharmacy's repeat service?",
            "The medicine is in a repeat service, and the chosen pharmacy runs none.",
            "No other repeat service was concerned.",
        ),
    ),
    "supply_date_passed": rule_text(
        "supply_until decided_on",
        (
            "Is de periode van de bestelling voorbij?",
            "De periode waarvoor een voorraad was gevraagd, was voorbij.",
            "De bestelling was niet voor een periode die voorbij is.",
        ),
        (
            "Is the order's period over?",
            "The period for which a supply was asked was over.",
            "The order was not for a period that is over.",
        ),
    ),
    "too_early_with_a_reason": rule_text(
        _EARLY,
        (
            "Is het vroeg, en moet een mens daarnaar kijken?",
            "Het was vroeg, en iemand kijkt of er toch meer nodig is.",
            "Het was niet te vroeg.",
        ),
        (
            "Is it early, and for a person to look at?",
            "It was early, and somebody looks at whether more is needed all the same.",
            "It was not too early.",
        ),
    ),
    "weekly_taken_daily": rule_text(
        "weekly dosage",
        (
            "Is het een medicijn voor één keer per week, en staat dat niet in de dosering?",
            "De dosering zei niet dat dit medicijn één keer per week gebruikt wordt.",
            "De dosering paste bij het medicijn.",
        ),
        (
            "Is the medicine taken once a week, and does the dosage not say so?",
            "The dosage did not say that this medicine is taken once a week.",
            "The dosage fitted the medicine.",
        ),
    ),
    "high_risk": rule_text(
        "risk_class class_b_approver authorised_until control_due",
        (
            "Heeft het medicijn extra zorg nodig?",
            "Het medicijn heeft extra zorg nodig: iemand kijkt naar elke herhaling.",
            "Het medicijn had geen extra zorg nodig.",
        ),
        (
            "Does the medicine need extra care?",
            "The medicine needs extra care: somebody looks at every repeat.",
            "The medicine needed no extra care.",
        ),
    ),
    "control_long_overdue": rule_text(
        "control_due decided_on control_overdue_days",
        (
            "Is de controle bij dit medicijn veel te laat?",
            "De controle die bij het medicijn hoort, was veel te laat.",
            "De controle die bij het medicijn hoort, was niet veel te laat.",
        ),
        (
            "Is the check of this medicine long overdue?",
            "The check that belongs to the medicine was long overdue.",
            "The check that belongs to the medicine was not long overdue.",
        ),
    ),
    "from_a_specialist": rule_text(
        "specialist authorised_until repeats_left",
        (
            "Schrijft een specialist het voor, zonder machtiging van de huisarts?",
            "Een specialist schrijft het medicijn voor; de huisarts heeft dat niet overgenomen.",
            "Het is geen medicijn van een specialist, of de huisarts heeft het overgenomen.",
        ),
        (
            "Does a specialist prescribe it, without the GP's authorisation?",
            "A specialist prescribes the medicine; the GP has not taken that over.",
            "It is no specialist's medicine, or the GP has taken it over.",
        ),
    ),
    "restart_after_gap": rule_text(
        "last_supplied_on ordered_on restart_gap",
        (
            "Is het medicijn lang niet gebruikt?",
            "Het medicijn was lang niet verstrekt: dit is opnieuw beginnen.",
            "Het medicijn was niet lang geleden verstrekt, of dat is niet bekend.",
        ),
        (
            "Has the medicine not been had for a long time?",
            "The medicine had not been supplied for a long time: this is a new start.",
            "The medicine was supplied not long ago, or that is not known.",
        ),
    ),
    "authorisation_to_renew": rule_text(
        "authorised_until repeats_left ordered_on decided_on expired_authorisation",
        (
            "Is de machtiging voorbij, en kijkt de huisarts daarnaar?",
            "De machtiging van de huisarts was voorbij: de huisarts kijkt of die verlengd wordt.",
            "Er was geen machtiging die voorbij is.",
        ),
        (
            "Is the authorisation over, for the GP to look at?",
            "The GP's authorisation was over: the GP looks at whether to renew it.",
            "There was no authorisation that is over.",
        ),
    ),
    "not_authorised": rule_text(
        "authorised_until auto_approve",
        (
            "Ontbreekt de machtiging die de praktijk vraagt?",
            "De huisarts had nog niet vastgelegd dat het medicijn herhaald mag worden.",
            "Er was een machtiging, of de praktijk vraagt die niet.",
        ),
        (
            "Is the authorisation missing that the practice asks for?",
            "The GP had not recorded yet that the medicine may be repeated.",
            "There was an authorisation, or the practice asks for none.",
        ),
    ),
    "packed_by_the_week": rule_text(
        "weekly_packing",
        (
            "Verpakt de apotheek het medicijn per week?",
            "De apotheek verpakt het medicijn per week, en kijkt hoe de bestelling past.",
            "De apotheek verpakt het medicijn niet per week.",
        ),
        (
            "Does the pharmacy pack the medicine by the week?",
            "The pharmacy packs the medicine by the week, and looks at how the order fits in.",
            "The pharmacy does not pack the medicine by the week.",
        ),
    ),
    "remark_to_read": rule_text(
        "remark",
        (
            "Staat er een opmerking bij die een mens leest?",
            "Er stond een opmerking bij, en een mens leest die altijd.",
            "Er stond geen opmerking bij.",
        ),
        (
            "Is there a remark for a person to read?",
            "There was a remark, which a person always reads.",
            "There was no remark.",
        ),
    ),
    "larger_supply": rule_text(
        "supply_until decided_on",
        (
            "Is de bestelling voor een langere periode?",
            "De bestelling was voor een langere periode, zoals een reis.",
            "De bestelling was niet voor een langere periode.",
        ),
        (
            "Is the order for a longer period?",
            "The order was for a longer period, such as a journey.",
            "The order was not for a longer period.",
        ),
    ),
    "larger_quantity": rule_text(
        "quantity usual_quantity most_times most_days",
        (
            "Is er meer besteld dan zonder overleg herhaald wordt?",
            "Er was meer besteld dan de praktijk zonder overleg herhaalt.",
            "Er was niet meer besteld dan de praktijk zonder overleg herhaalt.",
        ),
        (
            "Is more ordered than is repeated without a check?",
            "More was ordered than the practice repeats without a check.",
            "No more was ordered than the practice repeats without a check.",
        ),
    ),
    "too_many_lines": rule_text(
        "lines lines_at_most",
        (
            "Zijn er veel medicijnen tegelijk besteld?",
            "Er waren meer medicijnen tegelijk besteld dan de praktijk zonder overleg goedkeurt.",
            "Er waren niet te veel medicijnen tegelijk besteld.",
        ),
        (
            "Are many medicines ordered at once?",
            "More medicines were ordered at once than the practice approves without a check.",
            "Not too many medicines were ordered at once.",
        ),
    ),
    "everything_reviewed": rule_text(
        "approver",
        (
            "Wil de praktijk dat een mens naar elke herhaling kijkt?",
            "Bij deze praktijk kijkt een mens naar elke herhaling.",
            "Bij deze praktijk hoeft geen mens naar elke herhaling te kijken.",
        ),
        (
            "Does the practice want a person to look at every repeat?",
            "At this practice a person looks at every repeat.",
            "At this practice no person needs to look at every repeat.",
        ),
    ),
}
"""By the name of the rule."""
