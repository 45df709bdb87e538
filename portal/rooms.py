"""The rooms of the portal."""

from portal.patient import (
    calendar,
    download,
    me,
    medicines,
    messages,
    missing,
    ordering,
    orders,
    people,
)

PATIENT = (people, medicines, ordering, orders, calendar, messages, missing, me, download)

ALL = [module.pages for module in PATIENT]
"""The pages of every room."""
