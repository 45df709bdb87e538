"""People: who a pseudonym is. The only place that knows; see docs/architecture/people.md."""
