"""metrics' decisions, pure: under what each order line is counted, and the periods of a report."""
