"""Every record's type, topic, reason code and role, defined once. Imports nothing else of ours."""
