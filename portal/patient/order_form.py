"""The order form: what somebody wants, read from its fields, with a sentence about each that is not right."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from uuid import UUID, uuid4

from portal.web.days import read_day
from portal.web.field_errors import FieldError
from portal.web.forms import Fields, Form
from portal.web.languages import mark
from schemas.api.ordering import OrderView
from schemas.base import LONGEST_TEXT, is_blank
from schemas.numbers import quantity
from schemas.records.directory import Remarks

MOST_DAYS = 366
"""How far ahead a larger supply may be asked for."""


@dataclass(frozen=True)
class Wanted:
    """One medicine that is ticked, and how much of it."""

    prk: str
    quantity: Decimal


@dataclass(frozen=True)
class Order:
    """A form that can be sent. `remark` is None when there is none."""

    order_id: UUID
    wanted: tuple[Wanted, ...]
    pharmacy: str
    remark: str | None
    supply_until: date | None


@dataclass(frozen=True)
class Known:
    """What the form is compared with: names by PRK of what can be ordered, and codes of pharmacies.

    `early` are those that can be ordered only with a period or a remark. `remarks` and `remark_length` are what
    the practice asks of a remark.
    """

    names: Mapping[str, str]
    pharmacies: frozenset[str]
    today: date
    early: frozenset[str] = frozenset()
    remarks: Remarks = Remarks.OPTIONAL
    remark_length: int = LONGEST_TEXT


def new_fields() -> Fields:
    """The fields of a form that nobody has filled in yet."""
    return [("order", str(uuid4()))]


def is_new(fields: Fields) -> bool:
    """Tell whether nobody has filled in a form yet."""
    return [name for name, _ in fields] == ["order"]


def order_id_of(form: Form) -> UUID:
    """The id of the order that the form will be; a new one when the form has none."""
    try:
        return UUID(form.text("order"))
    except ValueError:
        return uuid4()


def read_order(form: Form, known: Known) -> Order | Sequence[FieldError]:
    """Read a form: the order, or everything that is not right yet."""
    errors = [*_errors(form, known)]
    if errors:
        return errors
    return Order(
        order_id_of(form),
        tuple(Wanted(prk, _amount_of(form, prk)) for prk in ticked(form)),
        form.text("pharmacy"),
        remark_of(form),
        read_day(form.text("supply_until")),
    )


def remark_of(form: Form) -> str | None:
    """The remark; None when there is nothing in it that people can see."""
    remark = form.text("remark")
    return None if is_blank(remark) else remark


def ticked(form: Form) -> Sequence[str]:
    """The medicines that are ticked, each once."""
    return [*dict.fromkeys(form.all("medicine"))]


def says_the_same(form: Form, order: OrderView) -> bool:
    """Tell whether a form is the order that was sent: the same medicines, amounts, pharmacy, remark and day."""
    asked = {prk: _quantity(form.text(f"amount-{prk}")) for prk in ticked(form)}
    return (
        asked == {line.prk: line.quantity for line in order.lines}
        and form.text("pharmacy") == order.pharmacy
        and remark_of(form) == order.remark
        and read_day(form.text("supply_until")) == order.supply_until
    )


def _errors(form: Form, known: Known) -> Iterator[FieldError]:
    chosen = ticked(form)
    if not chosen:
        yield FieldError("medicines", mark("Tick at least one medicine"), {})
    for prk in chosen:
        yield from _medicine_errors(form, prk, known)
    yield from _remark_errors(remark_of(form), known)
    yield from _day_errors(form.text("supply_until"), known.today)
    yield from _early_errors(form, known)
    if form.text("pharmacy") not in known.pharmacies:
        yield FieldError("pharmacy", mark("Choose the pharmacy where you want to collect"), {})


def _medicine_errors(form: Form, prk: str, known: Known) -> Iterable[FieldError]:
    if prk not in known.names:
        message = mark("A medicine that you ticked can no longer be ordered now. Check your list")
        return [FieldError("medicines", message, {})]
    if _quantity(form.text(f"amount-{prk}")) is None:
        message = mark("Write how much %(medicine)s you need, in numbers, such as 90")
        return [FieldError(f"amount-{prk}", message, {"medicine": known.names[prk]})]
    return []


def _amount_of(form: Form, prk: str) -> Decimal:
    found = _quantity(form.text(f"amount-{prk}"))
    assert found is not None, "the form was checked"
    return found


def _quantity(text: str) -> Decimal | None:
    """An amount as people write it, with a comma or a point; None when it is none."""
    try:
        number = Decimal(text.replace(",", ".").replace(" ", ""))
        return quantity(int(number) if number == number.to_integral_value() else number)
    except (InvalidOperation, ValueError, OverflowError):
        return None


def _day_errors(text: str, today: date) -> Iterator[FieldError]:
    if not text:
        return
    until = read_day(text)
    if until is None:
        yield FieldError("supply_until", mark("Write the date as day-month-year"), {})
    elif until <= today:
        yield FieldError("supply_until", mark("Choose a date in the future"), {})
    elif until > today + timedelta(days=MOST_DAYS):
        yield FieldError("supply_until", mark("Choose a date within a year from now"), {})


def _remark_errors(remark: str | None, known: Known) -> Iterator[FieldError]:
    if remark is None:
        if known.remarks is Remarks.MANDATORY:
            yield FieldError("remark", mark("Write a remark: your practice asks for one"), {})
        return
    if known.remarks is Remarks.NOT_ALLOWED:
        message = mark("Your practice takes no remarks with an order. Take your words out")
        yield FieldError("remark", message, {})
    elif (over := len(remark) - known.remark_length) > 0:
        message = mark("Your remark is too long. Characters too many: %(over)s")
        yield FieldError("remark", message, {"over": over})


def _early_errors(form: Form, known: Known) -> Iterator[FieldError]:
    """A medicine that is early needs a period, or a remark that says why."""
    early = next((prk for prk in ticked(form) if prk in known.early), None)
    if early is None or form.text("supply_until") or remark_of(form):
        return
    no_remark = known.remarks is Remarks.NOT_ALLOWED
    message = _UNTIL_WHEN if no_remark else _UNTIL_WHEN_OR_WHY
    yield FieldError("supply_until", message, {"medicine": known.names[early]})


_UNTIL_WHEN = mark("It is too early for %(medicine)s. Fill in until which day you need it")
_UNTIL_WHEN_OR_WHY = mark(
    "It is too early for %(medicine)s. Fill in until which day you need it, or write in the remark why"
)
