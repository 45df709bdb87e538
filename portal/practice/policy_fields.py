"""The fields of a practice's policy in a practice's words. Texts are in English, to be translated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.web.languages import mark
from schemas.records.directory import Policy

_BOUNDS: Mapping[str, Mapping[str, Any]] = Policy.model_json_schema()["properties"]

YES_AND_NO: Mapping[bool, str] = {False: "no", True: "yes"}
YES_OR_NO = {"no": mark("No"), "yes": mark("Yes")}

ORDER_HOURS = "order_hours"


@dataclass(frozen=True)
class PolicyField:
    """One field: its name in `Policy`, what it is called, and what it does.

    `choices` are texts by value; without them it is a number of `unit`. A field that is not `counted` changes
    nothing in a trial.
    """

    name: str
    label: str
    hint: str
    choices: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    counted: bool = True

    @property
    def smallest(self) -> float:
        """The smallest number that it can have."""
        return float(_BOUNDS[self.name]["minimum"])

    @property
    def largest(self) -> float:
        """The largest number that it can have."""
        return float(_BOUNDS[self.name]["maximum"])

    @property
    def whole(self) -> bool:
        """Whether it is a whole number."""
        return bool(_BOUNDS[self.name]["type"] == "integer")


DAYS = mark("days")

WHO = PolicyField(
    "approver",
    mark("Who approves a repeat that is as usual?"),
    mark("When nothing about the repeat asks for a person."),
    {
        "policy": mark("The rules, without a person"),
        "assistant": mark("The assistant"),
        "gp": mark("The GP"),
    },
)

GROUPS: Sequence[tuple[str, Sequence[PolicyField]]] = (
    (
        mark("Who approves"),
        (
            PolicyField(
                "auto_approve",
                mark("What may be approved without a person?"),
                mark("A GP authorises repeats for a patient until a date, in the medication list."),
                {
                    "authorised_only": mark("Only what a GP has authorised for this patient"),
                    "all_plain": mark("Also what nobody has authorised"),
                },
            ),
            WHO,
            PolicyField(
                "approver_class_b",
                mark("Who approves medicines of class B?"),
                mark("Class B needs care, such as blood thinners. Class A always goes to the GP."),
                {
                    "policy": mark("The rules, while authorisation and check-up are in order"),
                    "assistant": mark("The assistant"),
                    "gp": mark("The GP"),
                },
            ),
            PolicyField(
                "expired_authorisation",
                mark("What if the authorisation has ended?"),
                mark("After its date, or when all its repeats are used."),
                {
                    "review": mark("The GP looks at it"),
                    "refuse": mark("Refuse it: the patient makes an appointment"),
                },
            ),
        ),
    ),
    (
        mark("Too early, or ordered already"),
        (
            PolicyField(
                "too_early_days",
                mark("How long before the supply ends may one order?"),
                mark("Sooner is refused with the first day on which it is possible."),
                unit=DAYS,
            ),
            PolicyField(
                "too_early_share",
                mark("Or this part of the supply, if that is less"),
                mark("Of a supply for 30 days, 25 per cent is 7 days."),
                unit="%",
            ),
            PolicyField(
                "too_early_days_class_a",
                mark("How long before the supply ends for class A?"),
                mark("Medicines that one can get used to. Sooner goes to the GP."),
                unit=DAYS,
            ),
            PolicyField(
                "under_way_days",
                mark("How long does an approved repeat count as under way?"),
                mark("Ordered again in that time, it is refused; not if it was handed out."),
                unit=DAYS,
            ),
            PolicyField(
                "duplicate_other_strength",
                mark("Does another strength of the medicine count as ordered already?"),
                mark("For example 500 mg and 1000 mg of one medicine."),
                YES_OR_NO,
            ),
        ),
    ),
    (
        mark("How much"),
        (
            PolicyField(
                "most_times_usual",
                mark("How many times the usual quantity needs no person?"),
                mark("With 1 a person looks at everything above the usual quantity."),
                unit=mark("times"),
            ),
            PolicyField(
                "larger_supply_assistant_days",
                mark("How many days longer than usual may the assistant approve?"),
                mark("For a journey, for example. Longer goes to the GP."),
                unit=DAYS,
            ),
            PolicyField(
                "lines_at_most",
                mark("How many medicines in one order need no person?"),
                mark("A person looks at an order with more."),
                unit=mark("medicines"),
            ),
        ),
    ),
    (
        mark("Remarks"),
        (
            PolicyField(
                "remarks",
                mark("May an order have a remark?"),
                mark("A person always reads a remark before anything is approved."),
                {
                    "not_allowed": mark("No, an order has no remark"),
                    "optional": mark("Yes, if the patient wants"),
                    "mandatory": mark("Every order needs a remark"),
                },
            ),
            PolicyField(
                "remark_length",
                mark("How long may a remark be?"),
                mark("An order with a longer remark is refused."),
                unit=mark("characters"),
            ),
        ),
    ),
    (
        mark("Time that passes"),
        (
            PolicyField(
                "restart_gap_days",
                mark("After how long without it is a repeat a new start?"),
                mark("The GP looks at a new start."),
                unit=DAYS,
            ),
            PolicyField(
                "control_overdue_days",
                mark("How long may a check-up be overdue?"),
                mark("First the practice sees a signal. After this time the GP looks."),
                unit=DAYS,
            ),
            PolicyField(
                "withdraw_when_stopped",
                mark("Withdraw what is approved when the medicine is stopped?"),
                mark("With no, the practice sees a signal and decides."),
                YES_OR_NO,
                counted=False,
            ),
            PolicyField(
                "overview_patience_minutes",
                mark("How long does an order wait for the medication list?"),
                mark("After that a person looks."),
                unit=mark("minutes"),
                counted=False,
            ),
        ),
    ),
)
"""All fields but the order hours, in groups with a heading."""

FIELDS: Sequence[PolicyField] = [each for _, fields in GROUPS for each in fields]
