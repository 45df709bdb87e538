"""ordering's tables parted by month, of which `herhaal parts` detaches old months."""

PARTED = {"orders": {"order_ids": "order_id"}, "order_lines": {}}
"""With each, the tables whose rows go along with those of a month, and by which column."""
