"""Names of patients for those who may know them, remembered for some minutes in memory."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from herhaal_client import ApiError, Clients, Unauthorized
from schemas.api.people import PersonView

KEPT_S = 600.0
MOST = 10_000


@dataclass(frozen=True)
class PatientName:
    """How a patient is called, and what tells two of the same name apart."""

    full: str = field(repr=False)
    birth_date: date = field(repr=False)
    street: str = field(repr=False)


class Names:
    """Asks notification who a patient is, with the token of who looks; nobody gets another's answer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str], tuple[PatientName | None, float]] = OrderedDict()

    async def of(self, api: Clients, looking: str, patient: str) -> PatientName | None:
        """The name for the session `looking`; None when it is not known, or cannot be asked now."""
        key = (looking, patient)
        found = self._kept.get(key)
        if found is not None and self._clock() < found[1]:
            return found[0]
        try:
            name: PatientName | None = name_of(await api.notification.person(patient))
        except Unauthorized:
            raise
        except ApiError as refused:
            if refused.status != 404:
                return None
            name = None
        self._kept[key] = name, self._clock() + KEPT_S
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return name

    async def of_all(
        self, api: Clients, looking: str, patients: Iterable[str]
    ) -> Mapping[str, PatientName | None]:
        """The names of several, each asked for once and all at the same time."""
        each = [*dict.fromkeys(patients)]
        found = await asyncio.gather(*(self.of(api, looking, patient) for patient in each))
        return dict(zip(each, found, strict=True))


def name_of(person: PersonView) -> PatientName:
    """A name as a letter has it: A.M. van der D'Angelo-Müller."""
    parts = (person.initials, person.prefix, person.surname)
    street = f"{person.street} {person.house_number}"
    return PatientName(" ".join(filter(None, parts)), person.birth_date, street)
