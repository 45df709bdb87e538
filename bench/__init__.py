"""Speed, measured against other engines on the same job and the same data."""
