"""A practice's policy as a form, and back."""

from collections.abc import Iterator, Sequence
from datetime import time
from decimal import Decimal, InvalidOperation

from pydantic import ValidationError

from portal.practice.policy_fields import FIELDS, ORDER_HOURS, YES_AND_NO, YES_OR_NO, PolicyField
from portal.web.field_errors import FieldError
from portal.web.forms import BadForm, Fields, Form
from portal.web.languages import mark
from schemas.api.policies import PolicyTrialRequest
from schemas.reasons import Language
from schemas.records.directory import WEEKDAYS, OrderHours, Policy

MONTHS = (1, 3, 6, 12, 24)
"""How far back one can look."""

WHOLE_NUMBER = mark("Write a whole number from %(smallest)s to %(largest)s")
NUMBER = mark("Write a number from %(smallest)s to %(largest)s")
NO_TIME = mark("Write a time such as 09:30")
NOT_IN_ORDER = mark("The last time comes before the first")

FIRST, LAST, DAYS = "hours_first", "hours_last", "days"


def form_of(policy: Policy, months: int, language: Language) -> Form:
    """The form that says this policy."""
    fields = [(each.name, _text(policy, each, language)) for each in FIELDS]
    return Form([*fields, *_hours_of(policy.order_hours), ("months", f"{months}")])


def read_trial(form: Form) -> PolicyTrialRequest | Sequence[FieldError]:
    """Read the form: the policy to try, or everything that is not right yet. Raises BadForm."""
    read = {each.name: _read(form, each) for each in FIELDS} | {ORDER_HOURS: _read_hours(form)}
    errors = [value for value in read.values() if isinstance(value, FieldError)]
    if errors:
        return errors
    try:
        policy = Policy.model_validate(read, strict=False)
        return PolicyTrialRequest(policy=policy, months=int(form.text("months")))
    except (ValidationError, ValueError):
        raise BadForm from None


def _text(policy: Policy, field: PolicyField, language: Language) -> str:
    value = getattr(policy, field.name)
    if isinstance(value, bool):
        return YES_AND_NO[value]
    if isinstance(value, Decimal):
        return f"{value:f}".replace(".", "," if language == "nl" else ".")
    return f"{value}"


def _hours_of(hours: OrderHours | None) -> Fields:
    if hours is None:
        return ()
    days = [(DAYS, day) for day in hours.days]
    return [*days, (FIRST, f"{hours.first:%H:%M}"), (LAST, f"{hours.last:%H:%M}")]


def _read(form: Form, field: PolicyField) -> object:
    text = form.text(field.name)
    if field.choices is YES_OR_NO:
        return text == YES_AND_NO[True]
    if field.choices:
        return text
    return _number(text, field)


def _number(text: str, field: PolicyField) -> Decimal | int | FieldError:
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        number = Decimal(-1)
    fits = number.is_finite() and field.smallest <= number <= field.largest
    exact = number.is_finite() and number % Decimal(1 if field.whole else "0.01") == 0
    if fits and exact:
        return int(number) if field.whole else number
    bounds = {"smallest": f"{field.smallest:g}", "largest": f"{field.largest:.0f}"}
    return FieldError(field.name, WHOLE_NUMBER if field.whole else NUMBER, bounds)


def _read_hours(form: Form) -> OrderHours | FieldError | None:
    """The order hours; None for always, when nothing is chosen."""
    days = tuple(day for day in WEEKDAYS if day in form.all(DAYS))
    times = [*_times(form)]
    for each in times:
        if isinstance(each, FieldError):
            return each
    first, last = (each for each in times if not isinstance(each, FieldError))
    if not days and first is None and last is None:
        return None
    begin, end = first or time(0, 0), last or time(23, 59)
    if end < begin:
        return FieldError(LAST, NOT_IN_ORDER)
    return OrderHours(days=days or WEEKDAYS, first=begin, last=end)


def _times(form: Form) -> Iterator[time | FieldError | None]:
    for name in (FIRST, LAST):
        text = form.text(name)
        try:
            yield time.fromisoformat(text.replace(".", ":")) if text else None
        except ValueError:
            yield FieldError(name, NO_TIME)
