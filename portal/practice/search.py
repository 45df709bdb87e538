"""Search a patient of the practice. What is searched for is never in an address; the search is in the audit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from starlette.responses import Response

from portal.web.away import Away, unless_away
from portal.web.days import read_day
from portal.web.field_errors import FieldError, shown
from portal.web.forms import Form
from portal.web.languages import mark
from portal.web.pages import Pages
from portal.web.visit import Visit
from schemas.access import Action
from schemas.api.people import FoundPerson, FoundView, Purpose, SearchRequest

PURPOSES: Mapping[Purpose, str] = {
    Purpose.ORDER: mark("An order by telephone or at the counter"),
    Purpose.TREATMENT: mark("Treatment"),
    Purpose.CONTACT: mark("To call or write the patient"),
    Purpose.ADMINISTRATION: mark("To correct data"),
}
"""Why somebody looks a patient up, in English."""

NOTHING = mark("Fill in a surname and a birth date, or a BSN")
NO_SURNAME = mark("Write the surname")
NO_BIRTH_DATE = mark("Write the birth date as day-month-year")
NO_BSN = mark("This is not a BSN: check the 9 digits")
NO_PURPOSE = mark("Choose why you look this patient up")
ONE_WAY = mark("Search by BSN, or by surname and birth date: not both")

pages = Pages()


@dataclass(frozen=True)
class Match:
    """Somebody who matches, with what tells people of the same name apart."""

    patient: str
    name: str
    person: FoundPerson


@pages.get("/practice/patients", Action.PEOPLE_FIND)
async def search_form(visit: Visit) -> Response:
    """The form to search with."""
    return await _show(visit, ())


@pages.post("/practice/patients", Action.PEOPLE_FIND)
async def search(visit: Visit) -> Response:
    """Everybody who matches; none is chosen beforehand."""
    request = read_search(visit.form)
    if not isinstance(request, SearchRequest):
        return await _show(visit, request)
    return await _show(visit, (), await unless_away(visit.api.notification.find(request)))


def read_search(form: Form) -> SearchRequest | Sequence[FieldError]:
    """Read the form: whom to find, or everything that is not right yet."""
    errors = [*_errors(form)]
    if errors:
        return errors
    bsn = _digits(form.text("bsn"))
    try:
        return SearchRequest(
            bsn=bsn or None,
            surname=None if bsn else form.text("surname"),
            birth_date=None if bsn else read_day(form.text("birth_date")),
            why=Purpose(form.text("why")),
        )
    except ValidationError as invalid:
        return [_BY_FIELD.get(f"{error['loc'][0]}", _BY_FIELD["bsn"]) for error in invalid.errors()]


_BY_FIELD: Mapping[str, FieldError] = {
    "bsn": FieldError("bsn", NO_BSN),
    "surname": FieldError("surname", NO_SURNAME),
    "birth_date": FieldError("birth_date", NO_BIRTH_DATE),
}


def _errors(form: Form) -> Iterator[FieldError]:
    surname, born, bsn = (form.text(name) for name in ("surname", "birth_date", "bsn"))
    if not (surname or born or bsn):
        yield FieldError("surname", NOTHING)
    elif bsn and (surname or born):
        yield FieldError("bsn", ONE_WAY)
    elif not bsn:
        if not surname:
            yield _BY_FIELD["surname"]
        if read_day(born) is None:
            yield _BY_FIELD["birth_date"]
    if form.text("why") not in [*Purpose]:
        yield FieldError("why", NO_PURPOSE)


def _digits(bsn: str) -> str:
    return bsn.replace(" ", "").replace(".", "")


async def _show(
    visit: Visit, errors: Sequence[FieldError], found: FoundView | Away | None = None
) -> Response:
    return await visit.render(
        "practice/search.html",
        422 if errors else 200,
        form=visit.form,
        errors=shown(visit, errors, {"why": f"why-{Purpose.ORDER}"}),
        purposes=PURPOSES,
        found=_matches(found) if isinstance(found, FoundView) else found,
    )


def _matches(found: FoundView) -> Sequence[Match]:
    return [Match(each.patient, _name(each), each) for each in found.people]


def _name(person: FoundPerson) -> str:
    name = " ".join(filter(None, (person.initials, person.prefix, person.surname)))
    return f"{name} ({person.partner_surname})" if person.partner_surname else name
