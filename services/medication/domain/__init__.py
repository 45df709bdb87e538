"""medication's decisions, pure: changes to overviews, and the history of changes."""
