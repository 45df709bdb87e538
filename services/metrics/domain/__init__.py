"""metrics' decisions, pure: where each order line is counted, and the periods of a report."""
