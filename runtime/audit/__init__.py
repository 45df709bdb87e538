"""The audit trail (NEN 7513): what an entry says, and how entries are chained. Pure."""
