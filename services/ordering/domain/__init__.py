"""ordering's decisions, pure: rules, events, state and recovery."""
