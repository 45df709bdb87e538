"""One stack with the example region, one Chromium, and visitors who log in at it."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, async_playwright

from cli.chromium import find_chromium
from cli.console import UserError
from cli.example.fill import fill
from cli.up import start_everything
from deploy.local import LocalStack, StackOptions, free_ports
from portal.session.cookies import SESSION
from schemas.access import Claims, Party
from schemas.api.medication import OverviewRequest
from schemas.records.medication import Medication
from schemas.records.orders import OrderPlace
from tests.browser.visitor import AT_A_DESK, SCREENSHOTS, Kind, Visitor
from tests.harness.made import PRACTICE, a_patient, as_json
from tests.harness.portal import begin_session, forget_forms


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where the screenshots are."""
    if SCREENSHOTS.is_dir():
        terminalreporter.write_line(f"Screenshots of the pages: {SCREENSHOTS}")


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Start Chromium, and begin with no screenshots."""
    try:
        program = find_chromium()
    except UserError as missing:
        pytest.fail(str(missing), pytrace=False)
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    SCREENSHOTS.mkdir(parents=True)
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        yield running
        await running.close()


@pytest.fixture(scope="session")
async def stack(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LocalStack]:
    """Start all servers and services with the example region."""
    async with LocalStack(
        StackOptions.at(tmp_path_factory.mktemp("stack"), free_ports())
    ) as running:
        await start_everything(running)
        assert await fill(running)
        yield running


@dataclass
class Visitors:
    """Makes visitors; each has a browser context of their own, as on a computer of their own."""

    stack: LocalStack
    browser: Browser
    opened: AsyncExitStack

    async def anybody(self, kind: Kind = AT_A_DESK) -> Visitor:
        """Somebody who has not logged in."""
        context = await self.browser.new_context(
            viewport=kind.size, locale=kind.language, java_script_enabled=kind.javascript
        )
        self.opened.push_async_callback(context.close)
        context.set_default_timeout(20_000)
        page = await context.new_page()
        return Visitor(page, self.stack.endpoints["portal"], kind)

    async def login(self, person: str, kind: Kind = AT_A_DESK) -> Visitor:
        """Somebody of the issuer's login page, on their first page."""
        visitor = await self.anybody(kind)
        await visitor.go("/login")
        await visitor.choose(person)
        return visitor

    async def patient(
        self, *medicines: Medication, kind: Kind = AT_A_DESK, practice: str = PRACTICE
    ) -> tuple[Visitor, str]:
        """A patient whom no other test uses, with an overview of these medicines; on no page yet."""
        patient = a_patient()
        await self.overview(patient, *medicines, practice=practice)
        visitor = await self.anybody(kind)
        await self.enter(visitor, patient)
        return visitor, patient

    async def enter(self, visitor: Visitor, patient: str) -> str:
        """Give a visitor's browser a session of a patient; return its id."""
        claims = Claims(sub=patient, role=Party.PATIENT, patients=(patient,))
        id = await begin_session(self.stack, claims, "Petra Proef")
        # By the browser's own protocol: Playwright's way names a domain, which a `__Host-` cookie may not.
        browser = await visitor.page.context.new_cdp_session(visitor.page)
        url = visitor.site.replace("http:", "https:")
        cookie = {"name": SESSION, "value": id, "url": url, "secure": True, "httpOnly": True}
        assert (await browser.send("Network.setCookie", cookie))["success"]
        return id

    async def overview(
        self, patient: str, *medicines: Medication, practice: str = PRACTICE
    ) -> None:
        """Import an overview, and wait until it is applied and ordering knows it."""
        request = OverviewRequest.model_validate(
            {"patient": patient, "practice": practice, "medications": [*medicines]}, strict=False
        )
        async with httpx.AsyncClient(timeout=30) as http:
            answer = await http.put(
                f"{self.stack.endpoints['medication']}/patients/{patient}/overview",
                content=request.model_dump_json(exclude_none=True),
                headers=self.bearer(Party.GP, practice=practice) | {"prefer": "wait=20"},
            )
            assert answer.status_code == 200, answer.text
            await self._known_to_ordering(http, patient, len(medicines))

    async def empty_queue(self) -> None:
        """Refuse every line that is in review at the practice."""
        ordering = self.stack.endpoints["ordering"]
        headers = self.bearer(Party.GP, practice=PRACTICE) | {"prefer": "wait=20"}
        async with httpx.AsyncClient(timeout=30, headers=headers) as http:
            listed = await http.get(
                f"{ordering}/practices/{PRACTICE}/reviews", params={"limit": 200}
            )
            for line in listed.raise_for_status().json()["reviews"]:
                decided = await http.put(
                    f"{ordering}/orders/{line['order_id']}/lines/{line['line']}/review",
                    json={"outcome": "refused", "explanation": "Voor een andere test"},
                )
                decided.raise_for_status()

    async def practice_known(self, agb: str) -> None:
        """Wait until ordering has a practice in its directory."""
        url = f"{self.stack.endpoints['ordering']}/practices/{agb}"
        headers = self.bearer(Party.GP, practice=agb)
        async with httpx.AsyncClient(timeout=30) as http, asyncio.timeout(20):
            while (await http.get(url, headers=headers)).status_code != httpx.codes.OK:
                await asyncio.sleep(0.05)

    async def place(self, order: OrderPlace) -> str:
        """Place an order as its patient, and wait until it is decided; return its id."""
        headers = self.bearer(Party.PATIENT, patients=(order.patient,)) | {"prefer": "wait=20"}
        async with httpx.AsyncClient(timeout=30) as http:
            url = f"{self.stack.endpoints['ordering']}/orders"
            answer = await http.post(url, json=as_json(order), headers=headers)
        assert answer.status_code == 200, answer.text
        return str(order.order_id)

    async def orders(self, patient: str) -> list[dict[str, Any]]:
        """The orders of a patient, as ordering shows them."""
        async with httpx.AsyncClient(timeout=30) as http:
            answer = await http.get(
                f"{self.stack.endpoints['ordering']}/patients/{patient}/orders",
                headers=self.bearer(Party.PATIENT, patients=(patient,)),
            )
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["orders"]
        return found

    def bearer(self, role: Party, **scope: Any) -> dict[str, str]:
        """The headers of a JSON request of somebody."""
        token = self.stack.token(role, **scope)
        return {"authorization": f"Bearer {token}", "content-type": "application/json"}

    async def _known_to_ordering(self, http: httpx.AsyncClient, patient: str, count: int) -> None:
        url = f"{self.stack.endpoints['ordering']}/patients/{patient}/orderable"
        headers = self.bearer(Party.PATIENT, patients=(patient,))
        async with asyncio.timeout(20):
            while len((await http.get(url, headers=headers)).json()["medicines"]) != count:
                await asyncio.sleep(0.05)


@pytest.fixture
async def visitors(stack: LocalStack, browser: Browser) -> AsyncIterator[Visitors]:
    """Visitors whose browsers are closed after the test; nobody has begun a form yet."""
    await forget_forms(stack)
    async with AsyncExitStack() as opened:
        yield Visitors(stack, browser, opened)
