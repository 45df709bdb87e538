"""medication: keeps each patient's medication overview and tells everybody when it changes."""
