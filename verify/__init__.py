"""The checker: holds all topics and databases of a system against the rules of a correct history."""
