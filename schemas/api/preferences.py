"""The body of notification's API about what a patient prefers."""

from schemas.base import Model, PharmacyAgb
from schemas.reasons import Language


class Preferences(Model):
    """What a patient prefers, whole: what is null or left out is no preference.

    `language` is that of pages and letters, `pharmacy` where the patient usually collects.
    """

    language: Language | None = None
    pharmacy: PharmacyAgb | None = None
