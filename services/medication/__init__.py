"""medication: keeps each patient's medication overview, and publishes it when it changes."""
