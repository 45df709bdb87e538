"""The rooms of the portal."""

from portal.patient import medicines, ordering, orders

ALL = (medicines.pages, ordering.pages, orders.pages)
"""The pages of every room."""
