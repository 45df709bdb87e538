"""A pharmacy's prescriptions, newest on top, with those that were withdrawn marked."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from portal.pharmacy.feed import SHOWN, Prescription, read_feed
from portal.web.away import Away, unless_away
from portal.web.names import PatientName
from portal.web.own import own_pharmacy
from portal.web.pages import Pages
from portal.web.visit import Visit
from portal.web.words import amount
from schemas.access import Action

ON_A_PAGE = 25
"""Prescriptions on a page; the name of each patient is asked for."""

pages = Pages()


@dataclass(frozen=True)
class Row:
    """A prescription; names are None when they are not known, or cannot be asked now."""

    prescription: Prescription
    name: PatientName | None
    practice: str | None
    amount: str

    @property
    def order(self) -> str:
        """The order's number, short, as one can say it on the telephone."""
        return f"{self.prescription.approved.order_id}"[:8]


@pages.get("/pharmacy/prescriptions", Action.PRESCRIPTIONS_READ)
async def prescriptions(visit: Visit) -> Response:
    """The newest prescriptions of the pharmacy, a page of them."""
    pharmacy = own_pharmacy(visit)
    feed = await unless_away(read_feed(visit.api.ordering, visit.site.starts, pharmacy))
    if isinstance(feed, Away):
        return await visit.render("pharmacy/prescriptions.html", feed=feed)
    found = feed.prescriptions
    number = _page_number(visit, len(found))
    rows = await _rows(visit, found[(number - 1) * ON_A_PAGE : number * ON_A_PAGE])
    return await visit.render(
        "pharmacy/prescriptions.html",
        feed=feed,
        rows=rows,
        number=number,
        last=_last_page(len(found)),
        all_shown=len(found) < SHOWN,
    )


async def _rows(visit: Visit, found: Sequence[Prescription]) -> Sequence[Row]:
    approved = [each.approved for each in found]
    names, practices = await asyncio.gather(
        visit.site.names.of_all(visit.api, visit.session.id, (each.patient for each in approved)),
        _practices(visit, (each.practice for each in approved)),
    )
    return [
        Row(
            each,
            names[each.approved.patient],
            practices[each.approved.practice],
            amount(each.approved.quantity, each.approved.unit, visit.language),
        )
        for each in found
    ]


async def _practices(visit: Visit, codes: Iterable[str]) -> Mapping[str, str | None]:
    """The practices' names."""
    agbs = [*dict.fromkeys(codes)]
    found = await asyncio.gather(*(unless_away(visit.practice(agb)) for agb in agbs))
    names = [None if each is None or isinstance(each, Away) else each.name for each in found]
    return dict(zip(agbs, names, strict=True))


def _last_page(count: int) -> int:
    return max(1, -(-count // ON_A_PAGE))


def _page_number(visit: Visit, count: int) -> int:
    """The page in the address; the first one for any other."""
    asked = visit.request.query_params.get("page", "1")
    pages = {f"{number}": number for number in range(1, _last_page(count) + 1)}
    return pages.get(asked, 1)
