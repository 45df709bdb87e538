"""medication's decisions, pure: what a change makes of an overview, and what the history keeps of it."""
