"""People's data on a running stack: registered, found, rotated, erased."""
