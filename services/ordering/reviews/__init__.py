"""Lines that a person decides: the practice's list of them, and the decision."""
