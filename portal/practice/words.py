"""What ordering and medication say in codes, in a practice's words. Texts are in English, to be translated."""

from collections.abc import Mapping

from portal.web.languages import mark
from portal.web.words import Label
from schemas.base import Reviewer, Role
from schemas.reasons import ReasonCode
from schemas.records.medication import Status
from schemas.records.orders import OrderState, Outcome, Signal, StatusSignal

REASONS: Mapping[ReasonCode, str] = {
    ReasonCode.NOT_IN_OVERVIEW: mark("Not in the medication list"),
    ReasonCode.TEMPORARY_MEDICATION: mark("Temporary medicine"),
    ReasonCode.STOPPED_MEDICATION: mark("Stopped medicine"),
    ReasonCode.COVERED_BY_REPEAT_SERVICE: mark("Comes through the repeat service"),
    ReasonCode.TOO_EARLY: mark("Too early"),
    ReasonCode.DUPLICATE_ORDER: mark("Already ordered"),
    ReasonCode.AUTHORISATION_EXPIRED: mark("Authorisation has expired"),
    ReasonCode.HIGH_RISK_MEDICATION: mark("High-risk medicine"),
    ReasonCode.REMARK_NEEDS_READING: mark("Has a remark"),
    ReasonCode.LARGER_SUPPLY: mark("Asks for a longer period"),
    ReasonCode.QUANTITY_ABOVE_LIMIT: mark("Asks for more than usual"),
    ReasonCode.OTHER_PRACTICE: mark("Registered at another practice"),
    ReasonCode.UNKNOWN_PATIENT: mark("No medication list came in time"),
    ReasonCode.UNKNOWN_PHARMACY: mark("Pharmacy is not connected: send the prescription yourself"),
    ReasonCode.STATUS_NOT_KNOWN_YET: mark("No medication list yet"),
    ReasonCode.NAME_CONTRADICTS_CODE: mark("Ordered under another name"),
    ReasonCode.OVERVIEW_INCOMPLETE: mark("Part of the medication list could not be read"),
    ReasonCode.MEDICINE_TWICE: mark("Twice in this order"),
    ReasonCode.OTHER_REPEAT_SERVICE: mark("In the repeat service of another pharmacy"),
    ReasonCode.SUPPLY_DATE_PASSED: mark("The date of the larger supply has passed"),
    ReasonCode.NOT_AUTHORISED: mark("No GP has authorised repeats"),
    ReasonCode.RESTART_AFTER_GAP: mark("Last supplied long ago: a new start"),
    ReasonCode.SPECIALIST_MEDICINE: mark("A specialist prescribes it"),
    ReasonCode.WEEKLY_PACKING: mark("Packed by the week at the pharmacy"),
    ReasonCode.CONTROL_OVERDUE: mark("Check-up is long overdue"),
    ReasonCode.DOSAGE_TO_CHECK: mark("Weekly medicine with a daily dosage: check it"),
    ReasonCode.TOO_MANY_LINES: mark("Many medicines at once"),
    ReasonCode.OUTSIDE_ORDER_HOURS: mark("Ordered outside the order hours"),
    ReasonCode.REMARK_NOT_ALLOWED: mark("Has a remark, which the practice does not take"),
    ReasonCode.REMARK_MISSING: mark("Has no remark, which the practice asks for"),
    ReasonCode.REMARK_TOO_LONG: mark("Remark is too long"),
}
"""Why a line is looked at, or was refused."""

SIGNALS: Mapping[Signal, str] = {Signal.CONTROL_DUE: mark("Check-up is due")}
"""What somebody should know of a line, whatever is decided."""

CHANGED: Mapping[StatusSignal, str] = {
    StatusSignal.STOPPED: mark("Stopped since"),
    StatusSignal.TEMPORARY: mark("Made temporary since"),
    StatusSignal.REMOVED: mark("No longer in the medication list"),
}
"""What became of a medicine after it was approved."""

REVIEWERS: Mapping[Reviewer, Label] = {
    Reviewer.ASSISTANT: Label(mark("Assistant"), ""),
    Reviewer.GP: Label(mark("GP"), "care"),
    Reviewer.PHARMACY: Label(mark("Pharmacy"), ""),
}
"""Who is to decide a line in review, in a badge."""

NO_REASON = mark("Your practice looks at every order")

STATUSES: Mapping[Status, str] = {
    Status.CHRONIC: mark("Repeatable"),
    Status.TEMPORARY: mark("Temporary"),
    Status.STOPPED: mark("Stopped"),
}

STATES: Mapping[OrderState, Label] = {
    OrderState.APPROVED: Label(mark("Approved"), "good"),
    OrderState.PARTLY_APPROVED: Label(mark("Partly approved"), "care"),
    OrderState.IN_REVIEW: Label(mark("To review"), "care"),
    OrderState.WAITING: Label(mark("Waits for the medication list"), "care"),
    OrderState.REFUSED: Label(mark("Not approved"), "bad"),
    OrderState.CANCELLED: Label(mark("Cancelled"), ""),
}
"""Where an order stands, in a badge."""

WHO: Mapping[Role, str] = {
    Role.PATIENT: mark("The patient"),
    Role.PROXY: mark("Somebody who acts for the patient"),
    Role.ASSISTANT: mark("An assistant"),
    Role.GP: mark("A GP"),
    Role.PHARMACY: mark("The pharmacy"),
    Role.POLICY: mark("A rule of the practice"),
    Role.SYSTEM: mark("The system"),
}

DECIDED: Mapping[Outcome, str] = {
    Outcome.APPROVED: mark("%(who)s approved this on %(moment)s."),
    Outcome.REFUSED: mark("%(who)s refused this on %(moment)s."),
    Outcome.CANCELLED: mark("%(who)s cancelled the order on %(moment)s."),
}
"""Who decided a line, and when."""

DECIDED_OTHERWISE = mark("%(who)s decided this on %(moment)s.")
