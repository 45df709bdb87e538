"""One order as a person places it: through the portal's pages, with a browser that is only an HTTP client."""

from collections.abc import Mapping
from decimal import Decimal
from html.parser import HTMLParser
from uuid import UUID

import httpx

from cli.console import UserError
from schemas.base import Channel, PlacedBy, Role
from schemas.records.orders import OrderLine, OrderPlace

ANNA = "pat_example01"
"""Anna Voorbeeld, on the issuer's login page and in `deploy/example`."""

PRK = "5487"
PHARMACY = "02999001"

ANSWERS_S = 30.0
MOST_REDIRECTS = 10


class Browser:
    """Follows links and sends forms. It keeps cookies itself: httpx sends secure ones over https only."""

    def __init__(self, portal: str) -> None:
        self._portal = portal
        self._http = httpx.AsyncClient(timeout=ANSWERS_S)
        self._cookies: dict[str, str] = {}
        self._at = httpx.URL(portal)
        self.page = ""

    async def close(self) -> None:
        """Close the browser."""
        await self._http.aclose()

    @property
    def path(self) -> str:
        """The path of the page that is shown."""
        return self._at.path

    async def log_in(self, sub: str) -> None:
        """Log in as somebody of the issuer's page. Raises UserError."""
        await self._ask("GET", f"{self._portal}/login")
        form = {**self.hidden(), "person": sub}
        await self._ask("POST", f"{self._at.copy_with(query=None)}", form)

    async def open(self, path: str) -> None:
        """Open a page of the portal. Raises UserError."""
        await self._ask("GET", f"{self._portal}{path}")

    async def send(self, path: str, **fields: str) -> None:
        """Send the page's hidden fields and these to a path of the portal. Raises UserError."""
        await self._ask("POST", f"{self._portal}{path}", {**self.hidden(), **fields})

    def hidden(self) -> dict[str, str]:
        """The hidden fields of the page."""
        return _Hidden(self.page).fields

    async def _ask(self, method: str, url: str, form: Mapping[str, str] | None = None) -> None:
        """Ask for a page, and follow where it leads. Raises UserError unless it is one."""
        headers = {"Origin": self._portal}
        for _ in range(MOST_REDIRECTS):
            headers["Cookie"] = "; ".join(f"{name}={said}" for name, said in self._cookies.items())
            answer = await self._http.request(method, url, data=form, headers=headers)
            self._cookies |= dict(answer.cookies)
            if not answer.has_redirect_location:
                break
            method, url, form = "GET", f"{answer.url.join(answer.headers['location'])}", None
        if answer.status_code != httpx.codes.OK:
            raise UserError(f"The portal answered {answer.status_code}.")
        self._at, self.page = answer.url, answer.text


async def online_order(portal: str) -> OrderPlace:
    """Order metformine as Anna: log in, tick, check, send. Return what was ordered. Raises UserError."""
    browser = Browser(portal)
    at = f"/patients/{ANNA}"
    try:
        await browser.log_in(ANNA)
        await browser.open(f"{at}/medicines")
        ticked = {"medicine": PRK, f"amount-{PRK}": "180", "pharmacy": PHARMACY}
        await browser.send(f"{at}/order/check", **ticked)
        await browser.send(f"{at}/order")
    finally:
        await browser.close()
    if not browser.path.startswith(f"{at}/orders/"):
        raise UserError("The portal did not show an answer to an order.")
    return OrderPlace(
        order_id=UUID(browser.path.rpartition("/")[2]),
        patient=ANNA,
        practice="01999001",
        pharmacy=PHARMACY,
        channel=Channel.PORTAL,
        placed_by=PlacedBy(role=Role.PATIENT, id=ANNA),
        lines=(
            OrderLine(line=1, prk=PRK, medicine="Metformine tablet 500 mg", quantity=Decimal(180)),
        ),
    )


class _Hidden(HTMLParser):
    """Reads the hidden fields of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a hidden field."""
        said = dict(attrs)
        if tag == "input" and said.get("type") == "hidden":
            self.fields[said.get("name") or ""] = said.get("value") or ""
