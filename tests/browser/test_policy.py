"""A manager tries a policy on the practice's past orders, in a browser."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest
from playwright.async_api import expect

from deploy.local.postgres.databases import owner_dsn
from tests.browser.conftest import Visitors
from tests.browser.visitor import LOOKS, Kind, Visitor
from tests.harness.past_orders import MadePractice, fill

MANAGER, GP = "Ilse Linde", "Gijs Linde"
MADE = "delete from orders where patient like 'pat_made%'"


@pytest.fixture(autouse=True)
async def _past(visitors: Visitors) -> AsyncIterator[None]:
    """Orders of the last year, which leave again: other tests count."""
    admin = visitors.stack.postgres
    await fill(admin, [*MadePractice(60).rows(datetime.now(UTC))])
    yield
    db = await asyncpg.connect(owner_dsn(admin, "ordering"))
    try:
        await db.execute(MADE)
    finally:
        await db.close()


async def try_it(visitor: Visitor, **fields: str) -> None:
    """Fill in the form, and send it."""
    for name, value in fields.items():
        field = visitor.page.locator(f"#{name}")
        tag = await field.evaluate("it => it.tagName")
        await (field.select_option(value) if tag == "SELECT" else field.fill(value))
    await visitor.button("Try this policy").click()


@pytest.mark.parametrize("kind", [*LOOKS, Kind("nl", "phone", javascript=False)], ids=str)
async def test_a_manager_tries_a_policy_and_sees_what_would_change(
    visitors: Visitors, kind: Kind
) -> None:
    """Given a year of orders; when a GP is to approve all, then a sentence, tables and examples say so."""
    visitor = await visitors.login(MANAGER, kind)
    await visitor.link("Policy").click()
    await visitor.sees("Policy of your practice")
    await visitor.check("practice-policy-now")
    await try_it(visitor, approver="gp", too_early_days="21")
    result = visitor.page.locator("#result")
    await expect(result).to_contain_text(visitor.text("%(n)s more to review", n="").strip())
    for summary in await visitor.page.locator("main details summary").all():
        await summary.click()
    await expect(visitor.page.locator("pre")).to_have_text(
        "policy:\n  approver: gp\n  too_early_days: 21\n"
    )
    await expect(visitor.page.locator("#approver")).to_have_value("gp")
    assert "pat_made" not in await visitor.page.content()
    await visitor.check("practice-policy-tried")


@pytest.mark.parametrize("kind", [Kind("nl", "phone"), Kind("en", "desk")], ids=str)
async def test_what_is_typed_wrong_is_said_beside_it_and_all_is_kept(
    visitors: Visitors, kind: Kind
) -> None:
    visitor = await visitors.login(MANAGER, kind)
    await visitor.go("/practice/policy")
    await visitor.page.locator("#day-Mo").check()
    await try_it(
        visitor, approver="gp", too_early_days="veel", hours_first="18:00", hours_last="08:00"
    )
    await expect(visitor.page.locator("#too_early_days-error")).to_be_visible()
    await expect(visitor.page.locator("#hours_last-error")).to_be_visible()
    for name, value in {"approver": "gp", "too_early_days": "veel", "hours_first": "18:00"}.items():
        await expect(visitor.page.locator(f"#{name}")).to_have_value(value)
    await expect(visitor.page.locator("#day-Mo")).to_be_checked()
    visitor.wrong.clear()
    await visitor.check("practice-policy-wrong")


async def test_the_policy_of_now_changes_nothing(visitors: Visitors) -> None:
    """Given rows that the default policy decided, which this practice has."""
    visitor = await visitors.login(GP, Kind("en"))
    await visitor.link("Policy").click()
    await try_it(visitor)
    await expect(visitor.page.locator("#result")).to_contain_text("Nothing changes in")
