"""The rooms of the portal."""

from portal.operator import state
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
from portal.pharmacy import prescriptions
from portal.practice import deciding, order, patients, policy, reviews, search
from portal.practice import figures as practice_figures
from portal.region import figures as region_figures

PATIENT = (people, medicines, ordering, orders, calendar, messages, missing, me, download)
PRACTICE = (reviews, deciding, order, search, patients, practice_figures, policy)
PHARMACY = (prescriptions,)
REGION = (region_figures,)
OPERATOR = (state,)

ALL = [module.pages for module in (*PATIENT, *PRACTICE, *PHARMACY, *REGION, *OPERATOR)]
"""The pages of every room."""
