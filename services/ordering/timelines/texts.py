"""The sentences of timelines that explanations do not have."""

from collections.abc import Mapping

from schemas.records.orders import StatusSignal
from services.ordering.explanations.words import Words, words

RECEIVED = words("De bestelling is ontvangen.", "The order was received.")
PLACED = words("{who} heeft besteld.", "{who} placed the order.")
CANCELLED = words("{who} heeft de bestelling geannuleerd.", "{who} cancelled the order.")
CANCELLED_BY_NOBODY = words("De bestelling is geannuleerd.", "The order was cancelled.")
TOO_LONG = words("Het wachten duurde te lang.", "It waited too long.")

SIGNALS: Mapping[str, Words] = {
    StatusSignal.STOPPED: words(
        "Het medicijn is gestopt nadat het was goedgekeurd. De praktijk kijkt ernaar.",
        "The medicine was stopped after it was approved. The practice looks at it.",
    ),
    StatusSignal.TEMPORARY: words(
        "Het medicijn is tijdelijk geworden nadat het was goedgekeurd. De praktijk kijkt ernaar.",
        "The medicine became temporary after it was approved. The practice looks at it.",
    ),
    StatusSignal.REMOVED: words(
        "Het medicijn staat niet meer in het medicatieoverzicht. De praktijk kijkt ernaar.",
        "The medicine is no longer in the medication overview. The practice looks at it.",
    ),
}
"""What became of a medicine after a line was approved."""

REPORTS: Mapping[str, Words] = {
    "received": words("De apotheek heeft het recept.", "The pharmacy has the prescription."),
    "preparing": words("De apotheek maakt het klaar.", "The pharmacy prepares it."),
    "ready": words("Het ligt klaar bij de apotheek.", "It is ready at the pharmacy."),
    "partly_ready": words(
        "Een deel ligt klaar bij de apotheek.", "A part is ready at the pharmacy."
    ),
    "collected": words("Het is opgehaald.", "It was collected."),
    "delivered": words("Het is bezorgd.", "It was delivered."),
    "not_dispensed": words(
        "De apotheek heeft het niet verstrekt.", "The pharmacy did not dispense it."
    ),
}
"""What a pharmacy reports."""
