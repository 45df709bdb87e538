"""The benchmark: our speed against other engines, on the same job and data."""
