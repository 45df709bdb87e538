"""A practice's policy: what it is now, and what another would have changed. Nothing is switched here."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from starlette.responses import Response

from herhaal_client import Unavailable
from portal.practice.policy_fields import FIELDS, GROUPS, ORDER_HOURS, YES_AND_NO, PolicyField
from portal.practice.policy_form import DAYS, MONTHS, form_of, read_trial
from portal.practice.policy_result import Result, result_of
from portal.web import formats
from portal.web.away import AWAY, Away, unless_away
from portal.web.field_errors import FieldError, shown
from portal.web.forms import Form
from portal.web.languages import mark
from portal.web.own import own_practice
from portal.web.pages import Pages
from portal.web.visit import Visit
from schemas.access import Action
from schemas.records.directory import WEEKDAYS, OrderHours, Policy

PAGE = "/practice/policy"
USUAL_MONTHS = 12
ALWAYS = mark("always")

_MONDAY = date(2026, 11, 30)

pages = Pages()


@pages.get(PAGE, Action.POLICY_TRY)
async def policy(visit: Visit) -> Response:
    """The policy of the practice, as a form to try another."""
    return await _show(visit, None)


@pages.post(PAGE, Action.POLICY_TRY, kept_for=PAGE)
async def try_policy(visit: Visit) -> Response:
    """What the policy of the form would have changed."""
    request = read_trial(visit.form)
    if isinstance(request, Sequence):
        return await _show(visit, visit.form, request)
    try:
        found = await visit.api.ordering.try_policy(own_practice(visit), request)
    except Unavailable:
        return await _show(visit, visit.form, result=AWAY)
    return await _show(visit, visit.form, result=result_of(visit, found, request.policy))


async def _show(
    visit: Visit,
    form: Form | None,
    errors: Sequence[FieldError] = (),
    result: Result | Away | None = None,
) -> Response:
    now = await unless_away(visit.api.ordering.policy(own_practice(visit)))
    if form is None:
        kept = await visit.site.kept.kept(visit.session.claims.sub, PAGE)
        await visit.site.kept.forget(visit.session.claims.sub, PAGE)
        form = Form(kept) if kept else form_of(_or_default(now), USUAL_MONTHS, visit.language)
    return await visit.render(
        "practice/policy.html",
        422 if errors else 200,
        groups=GROUPS,
        now=now if isinstance(now, Away) else in_words(visit, now),
        usual=in_words(visit, Policy()),
        form=form,
        days=[
            (day, formats.weekday_name(_MONDAY + timedelta(days=n), visit.language))
            for n, day in enumerate(WEEKDAYS)
        ],
        ticked=form.all(DAYS),
        months=MONTHS,
        errors=shown(visit, errors),
        result=result,
    )


def in_words(visit: Visit, policy: Policy) -> Mapping[str, str]:
    """What each field of a policy says, in the page's language."""
    words = {each.name: _said(visit, policy, each) for each in FIELDS}
    return words | {ORDER_HOURS: _hours(visit, policy.order_hours)}


def _said(visit: Visit, policy: Policy, field: PolicyField) -> str:
    value = getattr(policy, field.name)
    if field.choices:
        chosen = YES_AND_NO[value] if isinstance(value, bool) else value
        return visit.translate(field.choices[chosen])
    number = formats.number(value, visit.language)
    return f"{number}%" if field.unit == "%" else f"{number} {visit.translate(field.unit)}"


def _hours(visit: Visit, hours: OrderHours | None) -> str:
    if hours is None:
        return visit.translate(ALWAYS)
    numbers = [WEEKDAYS.index(day) for day in hours.days]
    days = [formats.weekday_name(_MONDAY + timedelta(days=n), visit.language) for n in numbers]
    times = [formats.clock_time(each, visit.language) for each in (hours.first, hours.last)]
    return f"{', '.join(days)}, {times[0]}–{times[1]}"


def _or_default(now: Policy | Away) -> Policy:
    return Policy() if isinstance(now, Away) else now
