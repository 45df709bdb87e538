"""The page of a practice's policy: the form of now, what is wrong in it, and what a trial found."""

from collections.abc import Mapping
from datetime import time
from decimal import Decimal

import httpx
import orjson
import pytest

from herhaal_client import NotFound
from portal.practice import policy as page
from portal.practice.policy_fields import FIELDS, ORDER_HOURS
from portal.practice.policy_form import MONTHS, form_of, read_trial
from portal.practice.policy_result import OUTCOMES, as_yaml
from portal.web.forms import BadForm, Form
from schemas.api.policies import MOST_MONTHS, OutcomeChange, PolicyTrialRequest, PolicyView
from schemas.reasons import LANGUAGES, Language
from schemas.records.directory import Approver, OrderHours, Policy
from schemas.records.orders import Outcome
from tests.harness.made import PRACTICE
from tests.unit.clients.asking import a_problem
from tests.unit.portal.visits import MANAGER, REGION, Told, a_visit, answering, look
from tests.unit.schemas.policy_bodies import POLICY, TRIAL

NOW = f"GET ordering/practices/{PRACTICE}/policy"
TRY = f"POST ordering/practices/{PRACTICE}/policy-trials"
USUAL = dict(form_of(Policy(), 12, "en").fields)


async def looked(
    told: Told, form: Mapping[str, str] | None = None, language: Language = "en"
) -> str:
    """The page as a manager sees it."""
    method = "GET" if form is None else "POST"
    asked = a_visit(MANAGER, told, page.PAGE, form=form, language=language)
    _, html = await look(page.pages, method, page.PAGE, asked)
    return html


def test_every_field_of_a_policy_is_on_the_form() -> None:
    assert {*Policy.model_fields} == {ORDER_HOURS, *[each.name for each in FIELDS]}


def test_every_value_that_a_field_can_have_is_a_choice() -> None:
    for field in FIELDS:
        values = getattr(type(getattr(Policy(), field.name)), "__members__", None)
        if values:
            assert {*field.choices} == {*values.values()}, field.name


def test_months_are_as_many_as_can_be_asked() -> None:
    assert max(MONTHS) == MOST_MONTHS


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("policy", [Policy(), Policy(**dict(POLICY))], ids=["usual", "other"])
def test_a_form_that_is_sent_as_it_was_shown_is_the_same_policy(
    policy: Policy, language: Language
) -> None:
    form = form_of(policy, 6, language)
    assert read_trial(form) == PolicyTrialRequest(policy=policy, months=6)


def changed(**fields: str) -> Form:
    """The usual form with these changes."""
    return Form([*(USUAL | fields).items()])


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("too_early_days", ""),
        ("too_early_days", "7.5"),
        ("too_early_days", "-1"),
        ("too_early_share", "101"),
        ("lines_at_most", "0"),
        ("most_times_usual", "NaN"),
        ("most_times_usual", "1.005"),
        ("hours_first", "negen"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(field: str, typed: str) -> None:
    read = read_trial(changed(**{field: typed}))
    assert not isinstance(read, PolicyTrialRequest)
    assert [error.field for error in read] == [field]


def test_a_last_time_before_the_first_is_said() -> None:
    read = read_trial(changed(hours_first="18:00", hours_last="08:00"))
    assert not isinstance(read, PolicyTrialRequest)
    assert [error.field for error in read] == ["hours_last"]


def test_times_without_days_are_for_every_day() -> None:
    read = read_trial(changed(hours_first="08:00"))
    assert isinstance(read, PolicyTrialRequest)
    assert read.policy.order_hours == OrderHours(first=time(8))


def test_a_quantity_may_have_a_comma() -> None:
    read = read_trial(changed(most_times_usual="1,5"))
    assert isinstance(read, PolicyTrialRequest)
    assert read.policy.most_times_usual == Decimal("1.5")


@pytest.mark.parametrize("fields", [{"approver": "nobody"}, {"months": "99"}, {"months": "x"}])
def test_a_form_that_is_not_ours_is_refused(fields: Mapping[str, str]) -> None:
    with pytest.raises(BadForm):
        read_trial(changed(**fields))


async def test_the_policy_of_now_is_in_the_form_and_in_words() -> None:
    told = Told({NOW: answering(PolicyView(approver=Approver.GP, too_early_days=7))})
    html = await looked(told)
    assert '<option value="gp" selected>The GP</option>' in html
    assert "Now: 7 days. Usual: 14 days." in html
    html = await looked(told, language="nl")
    assert "Nu: 7 dagen. Gewoonlijk: 14 dagen." in html


async def test_what_a_trial_found_is_said_in_a_sentence_first() -> None:
    told = Told({NOW: answering(POLICY), TRY: answering(TRIAL)})
    html = await looked(told, USUAL | {"approver": "gp", "months": "6"})
    assert (
        "41 fewer to review, 3 more refused, 38 more approved without a person, of 812 lines"
        in html
    )
    assert "as other rules decided them: 10." in html
    assert "Omeprazol 20 mg capsule" in html
    assert "policy:\n  approver: gp\n" in html
    (sent,) = told.sent("POST")
    asked = orjson.loads(sent.content)
    assert (asked["months"], asked["policy"]["approver"]) == (6, "gp")


async def test_of_an_example_no_order_is_shown() -> None:
    told = Told({NOW: answering(POLICY), TRY: answering(TRIAL)})
    html = await looked(told, USUAL)
    assert f"{TRIAL.examples[0].order_id}" not in html


@pytest.mark.parametrize(
    ("changed_lines", "said"),
    [(0, "Nothing changes in 812 lines"), (5, "As many of each, but 5 of 812 lines")],
)
async def test_when_no_number_changes_that_is_said(changed_lines: int, said: str) -> None:
    same = [OutcomeChange(decided=Outcome.REVIEW, tried=Outcome.REVIEW, lines=812)]
    trial = TRIAL.model_copy(update={"outcomes": same, "changed": changed_lines})
    told = Told({NOW: answering(POLICY), TRY: answering(trial)})
    assert said in await looked(told, USUAL)


async def test_what_is_wrong_is_said_and_the_rest_is_kept() -> None:
    told = Told({NOW: answering(POLICY)})
    html = await looked(told, USUAL | {"too_early_days": "veel", "approver": "assistant"})
    assert "Write a whole number from 0 to 3650" in html
    assert 'value="veel"' in html
    assert '<option value="assistant" selected>' in html
    assert told.sent("POST") == []


async def test_when_another_trial_runs_that_is_said_and_the_form_is_kept() -> None:
    told = Told({NOW: answering(POLICY), TRY: a_problem(503, "unavailable")})
    html = await looked(told, USUAL | {"approver": "assistant"})
    assert "This could not be tried now" in html
    assert '<option value="assistant" selected>' in html


async def test_when_ordering_is_away_the_usual_policy_can_be_seen() -> None:
    html = await looked(Told({NOW: httpx.ConnectError("refused")}))
    assert "We cannot show this part now" in html


async def test_who_works_at_no_practice_finds_no_policy() -> None:
    with pytest.raises(NotFound):
        await look(page.pages, "GET", page.PAGE, a_visit(REGION, Told({})))


def test_every_outcome_has_words() -> None:
    assert {*OUTCOMES} == {*Outcome}


def test_the_lines_for_the_region_are_what_differs() -> None:
    assert as_yaml(Policy()) == "policy: {}\n"
    assert as_yaml(Policy(most_times_usual=Decimal("1.5"))) == "policy:\n  most_times_usual: 1.5\n"
