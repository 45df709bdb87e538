"""What an outside system may say: only of practices that it serves."""

import pytest

from schemas.access import Party
from schemas.records.orders import OrderCancelled, OrderDecided
from tests.harness.made import a_cancellation, an_order
from tests.unit.ordering.story import ANNA, approved, given, overview
from tests.unit.schemas.test_grants import a_system

SERVING = a_system("mijnzorg", Party.PORTAL)
OTHER = a_system("anders", Party.PORTAL, practices=("01999002",))
REGIONAL = a_system("regio", Party.PORTAL, practices=(), regions=("Lindewaard",))
SYSTEMS = (SERVING, OTHER, REGIONAL)


def test_a_system_orders_for_the_practices_that_it_serves() -> None:
    given(overview(), systems=SYSTEMS).when(an_order(ANNA), system="mijnzorg").then(approved())
    given(overview(), systems=SYSTEMS).when(an_order(ANNA), system="regio").then(approved())


def test_an_order_for_another_practice_is_not_served() -> None:
    story = given(overview(), systems=SYSTEMS).when(an_order(ANNA), system="anders")
    assert (story.rejected, story.published) == ("not_served", [])


def test_a_system_that_the_directory_does_not_name_serves_nobody() -> None:
    assert given(overview()).when(an_order(ANNA), system="mijnzorg").rejected == "not_served"


def test_a_cancellation_is_judged_by_the_practice_of_the_order() -> None:
    """Given an order of one portal; when another one cancels it; then it stands."""
    order = an_order(ANNA)
    story = given(overview(), systems=SYSTEMS).when(order, system="mijnzorg")
    assert story.when(a_cancellation(order), system="anders").rejected == "not_served"
    story.then(approved())
    assert story.when(a_cancellation(order), system="mijnzorg").rejected is None


def test_a_cancellation_of_an_order_that_nobody_placed_is_refused_for_that() -> None:
    story = given(overview(), systems=SYSTEMS)
    assert story.when(a_cancellation(an_order(ANNA)), system="anders").rejected == "unknown_order"


@pytest.mark.parametrize(
    ("system", "named", "kept"),
    [
        ("mijnzorg", "", "mijnzorg"),
        ("mijnzorg", "anders", "mijnzorg"),
        (None, "mijnzorg", "mijnzorg"),
        (None, "", None),
        (None, "No Name", None),
    ],
    ids=["its topic", "its topic, named another", "our API", "a person", "no name"],
)
def test_the_system_that_a_command_came_through_is_kept_in_its_events(
    system: str | None, named: str, kept: str | None
) -> None:
    """A system's topic counts, whatever its records say; on our own topic what our API says."""
    order = an_order(ANNA)
    story = given(overview(), systems=SYSTEMS).when(order, system=system, through=named)
    story.when(a_cancellation(order), system=system, through=named)
    placed, cancelled = story.bodies(OrderDecided, OrderCancelled)
    assert (placed.through, cancelled.through) == (kept, kept)


def test_an_order_sent_over_http_and_on_the_systems_topic_is_one_order() -> None:
    order = an_order(ANNA)
    story = given(overview(), systems=SYSTEMS).when(order, through="mijnzorg")
    story.when(order, system="mijnzorg").then_nothing()
    story.when(order, system="regio").then_nothing()
    (placed,) = story.bodies(OrderDecided)
    assert placed.through == "mijnzorg"
