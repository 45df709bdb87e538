"""notification's tables parted by month, of which `herhaal parts` detaches old months."""

PARTED = {"messages": {"message_reads": "message_id"}}
"""With each, the tables whose rows go along with those of a month, and by which column."""
